"""A host is no more: its tokens end, lists and alerts are done with it, its history stays as long as everybody's."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.storage import audit, hosts, hot, tokens
from collector.storage.audit import Deed
from collector.storage.database import AsyncConnection, Database


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A host that was forgotten, and the ids of its tokens that were revoked with it."""

    host: str
    revoked: Sequence[str]


async def forget(db: Database, name: str, actor: str, now_ms: int) -> Forgotten | None:
    """Forget the host of that name; None where there is none. The evaluation ends its alerts with its next look.

    It comes back with its next report, which takes a token that is good for it: a new one, or one of no host.
    """
    async with db.writing() as connection:
        done = await _forgotten(connection, name, actor, now_ms)
    if done is None:
        return None
    found, deed = done
    audit.say(deed)
    return found


async def _forgotten(db: AsyncConnection, name: str, actor: str, now_ms: int) -> tuple[Forgotten, Deed] | None:
    # Nobody else appends until this ends, and every process that does reads its hosts anew after it.
    await hot.claim(db, 1)
    if not await hosts.forget(db, name, now_ms):
        return None
    revoked = [grant.id for grant in await tokens.of_host(db, name, now_ms)]
    for token_id in revoked:
        await tokens.revoke(db, token_id, now_ms)
    deed = Deed(at_ms=now_ms, actor=actor, action="host-forget", host=name, detail={"token": ",".join(revoked) or None})
    await audit.note(db, deed)
    return Forgotten(name, revoked), deed

"""Letting hosts in: a join token for a host's own push token, and that one for its successor. Each in one transaction.

The agent makes its token itself and sends only the hash of its secret: an answer that is lost on the way costs neither
a use nor a host, because the same question asked again gets the same answer.
"""

from dataclasses import dataclass

from collector.access.token import Forbidden, Grant, Scope, Unauthenticated, granted
from collector.fleet.host import Host, Presence
from collector.storage import audit, hosts, tokens
from collector.storage.audit import Deed
from collector.storage.database import AsyncConnection, Database
from shared.errors import PortgaugeError
from shared.limits import MAX_NAME_CHARS
from shared.settings import InvalidValue
from shared.token import DIGEST, ID, parse
from shared.wire.v1 import HOST

GRACE_MS = 3_600_000
"""How long a token that was exchanged is still good: for a backlog's last push, and an agent that died in between."""


class HostTaken(PortgaugeError):
    """Another machine reports under this name, or another token has this id."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host}: {why}")
        self.host = host


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token as its maker tells of it: `digest` is the SHA-256 of its secret, in hex."""

    id: str
    digest: str

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise InvalidValue("id", "12 hex digits are needed")
        if not DIGEST.fullmatch(self.digest):
            raise InvalidValue("digest", "64 hex digits are needed: the SHA-256 of the token's secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who wants to be let in."""

    host: str
    token: NewToken
    role: str = ""
    machine_id: str = ""

    def __post_init__(self) -> None:
        if not HOST.match(self.host) or len(self.host) > MAX_NAME_CHARS:
            raise InvalidValue("host", "a name of letters, digits and . _ : - is needed")
        if len(self.role) > MAX_NAME_CHARS or not self.role.isprintable():
            raise InvalidValue("role", f"printable text of at most {MAX_NAME_CHARS} characters is needed")


async def enrol(db: Database, join: str, candidate: Candidate, now_ms: int) -> Grant:
    """Give this host a push token of its own; those it had before end at once.

    Raises Unauthenticated (the join token is no good any more), Forbidden (not for this role) or HostTaken.
    """
    async with db.writing() as connection:
        grant = await _join_grant(connection, join)
        known = await _known(connection, candidate.token, candidate.host, now_ms)
        if known:
            return known
        if grant.role is not None and grant.role != candidate.role:
            raise Forbidden(f"this join token lets in hosts of role {grant.role!r}, not {candidate.role!r}")
        await _require_free(connection, candidate, now_ms)
        if not await tokens.spend(connection, grant.id, now_ms):
            raise Unauthenticated(_why_spent(grant, now_ms))
        before = await tokens.of_host(connection, candidate.host, now_ms)
        for old in before:
            await tokens.revoke(connection, old.id, now_ms)
        made = _push_grant(candidate.token, candidate.host, grant, now_ms, candidate.role or None)
        await tokens.add(connection, made)
        detail = {"token": made.id, "role": made.role, "revoked": ",".join(old.id for old in before) or None}
        deed = Deed(at_ms=now_ms, actor=f"token {grant.id}", action="enrol", host=candidate.host, detail=detail)
        await audit.note(connection, deed)
    audit.say(deed)
    return made


async def renew(db: Database, old: Grant, new: NewToken, now_ms: int) -> Grant:
    """Exchange a living push token of one host for another that is good at once; the old one is for GRACE_MS more."""
    if old.scope is not Scope.PUSH or old.host is None:
        raise Forbidden("only a push token that is bound to a host can be renewed")
    async with db.writing() as connection:
        known = await _known(connection, new, old.host, now_ms)
        if known:
            return known
        made = _push_grant(new, old.host, old, now_ms, old.role)
        await tokens.add(connection, made)
        await tokens.retire(connection, old.id, now_ms + GRACE_MS)
        detail = {"token": made.id, "until_ms": now_ms + GRACE_MS}
        deed = Deed(at_ms=now_ms, actor=f"token {old.id}", action="token-renew", host=old.host, detail=detail)
        await audit.note(connection, deed)
    audit.say(deed)
    return made


async def _join_grant(db: AsyncConnection, text: str) -> Grant:
    parsed = parse(text)
    grant = await tokens.find(db, parsed[0]) if parsed else None
    if not parsed or grant is None or not grant.is_secret(parsed[1]):
        raise Unauthenticated
    if grant.scope is not Scope.JOIN:
        raise Forbidden(f"{grant.scope.one} lets nobody in; make one with: token create --scope join")
    return grant


async def _known(db: AsyncConnection, new: NewToken, host: str, now_ms: int) -> Grant | None:
    """The token where this very one was given to this host before: an answer was lost."""
    found = await tokens.find(db, new.id)
    if found is None:
        return None
    is_same = found.digest.hex() == new.digest and found.host == host and found.scope is Scope.PUSH
    if not is_same or not found.is_alive(now_ms):
        raise HostTaken(host, f"another token has the id {new.id}, or this one was revoked; make a new one")
    return found


async def _require_free(db: AsyncConnection, candidate: Candidate, now_ms: int) -> None:
    host = await hosts.by_name(db, candidate.host)
    if host and is_taken(host, candidate.machine_id, now_ms):
        raise HostTaken(candidate.host, "another machine reports under this name; it is let in once that one is silent")


def is_taken(host: Host, machine_id: str, now_ms: int) -> bool:
    """Whether that host reports at present, from a machine that cannot be shown to be this one."""
    is_there = host.presence(now_ms) not in {Presence.SILENT, Presence.FORGOTTEN}
    return is_there and (not machine_id or machine_id != host.machine_id)


def _push_grant(new: NewToken, host: str, parent: Grant, now_ms: int, role: str | None) -> Grant:
    made = Grant(new.id, Scope.PUSH, host, bytes.fromhex(new.digest), now_ms, role=role, life_ms=parent.life_ms)
    return granted(made)


def _why_spent(grant: Grant, now_ms: int) -> str:
    why = (
        "was revoked" if grant.revoked_ms is not None else "has expired" if not grant.is_alive(now_ms) else "is used up"
    )
    return f"this join token {why}; make another with: token create --scope join"

"""Which token proves what, by the database; remembered for pushes, so that a fleet does not ask one by one.

A token that was revoked or has expired since is found when a batch is written: the database is asked for all of its
tokens at once.
"""

from collector.access.token import Grant, Scope, Unauthenticated
from collector.storage import tokens
from collector.storage.database import Database
from shared.clock import wall_ms
from shared.token import digest_of, parse

MOST = 100_000
_NOBODY = Grant("", Scope.READ, None, bytes(32), 0)
"""What an unknown id is compared against, so that it takes as long as a known one."""


async def proved(db: Database, text: str, now_ms: int) -> Grant | None:
    """What this token grants, if it is one that is known and alive."""
    parsed = parse(text)
    if parsed is None:
        return None
    token_id, secret = parsed
    async with db.reading() as connection:
        grant = await tokens.find(connection, token_id)
    return grant if (grant or _NOBODY).is_proved_by(secret, now_ms) else None


class Doorkeeper:
    """Grants by the hash of their token; the first ones are forgotten where there are too many."""

    def __init__(self, db: Database, *, most: int = MOST) -> None:
        self._db, self._most = db, most
        self._grants: dict[bytes, Grant] = {}

    def known(self, token_hash: bytes) -> Grant | None:
        """What the token of this hash granted when the database was last asked for it."""
        return self._grants.get(token_hash)

    async def require(self, text: str) -> Grant:
        """What it grants by the database, remembered from now on. Raises Unauthenticated."""
        grant = await proved(self._db, text, wall_ms())
        if grant is None:
            raise Unauthenticated
        while len(self._grants) >= self._most:
            del self._grants[next(iter(self._grants))]
        self._grants[digest_of(text)] = grant
        return grant

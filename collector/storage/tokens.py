"""Tokens: kept as the hash of their secret, looked up by their public id."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import insert, select, update

from collector.access.token import Grant, Scope
from collector.storage import tables
from collector.storage.database import AsyncConnection

token = tables.token
_COLUMNS = (token.c.id, token.c.scope, token.c.host, token.c.digest, token.c.created_ms, token.c.revoked_ms)


async def add(db: AsyncConnection, grant: Grant) -> None:
    """Keep a new token's grant."""
    await db.execute(
        insert(token).values(
            id=grant.id,
            scope=grant.scope.value,
            host=grant.host,
            digest=grant.digest,
            created_ms=grant.created_ms,
            revoked_ms=grant.revoked_ms,
        )
    )


async def find(db: AsyncConnection, token_id: str) -> Grant | None:
    """What the token of this id grants, revoked or not."""
    row = (await db.execute(select(*_COLUMNS).where(token.c.id == token_id))).one_or_none()
    return _grant(row) if row else None


async def alive(db: AsyncConnection, ids: Collection[str]) -> set[str]:
    """Which of these tokens are not revoked."""
    query = select(token.c.id).where(token.c.id.in_(list(ids)), token.c.revoked_ms.is_(None))
    return set((await db.execute(query)).scalars())


async def all_tokens(db: AsyncConnection) -> list[Grant]:
    """Every token, oldest first."""
    return [_grant(row) for row in await db.execute(select(*_COLUMNS).order_by(token.c.created_ms, token.c.id))]


async def revoke(db: AsyncConnection, token_id: str, now_ms: int) -> bool:
    """End a token's life. False where there is no such token, or none alive."""
    alive = (token.c.id == token_id) & token.c.revoked_ms.is_(None)
    result = await db.execute(update(token).where(alive).values(revoked_ms=now_ms))
    return result.rowcount == 1


def _grant(row: Any) -> Grant:
    return Grant(row.id, Scope(row.scope), row.host, row.digest, row.created_ms, row.revoked_ms)

"""Tokens: kept as the hash of their secret, looked up by their public id."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, insert, or_, select, update

from collector.access.token import Grant, Scope
from collector.storage import tables
from collector.storage.database import AsyncConnection

token = tables.token


async def add(db: AsyncConnection, grant: Grant) -> None:
    """Keep a new token's grant."""
    await db.execute(insert(token).values(asdict(grant) | {"scope": grant.scope.value}))


async def find(db: AsyncConnection, token_id: str) -> Grant | None:
    """What the token of this id grants, revoked or not."""
    row = (await db.execute(select(*token.c).where(token.c.id == token_id))).one_or_none()
    return _grant(row) if row else None


async def alive(db: AsyncConnection, ids: Collection[str], now_ms: int) -> dict[str, int | None]:
    """Those of these tokens that are neither revoked nor expired, and from when on each is to be renewed."""
    rows = await db.execute(_ALIVE, {"ids": list(ids), "now_ms": now_ms})
    return {row.id: row.renew_ms for row in rows}


async def all_tokens(db: AsyncConnection) -> list[Grant]:
    """Every token, oldest first."""
    return [_grant(row) for row in await db.execute(select(*token.c).order_by(token.c.created_ms, token.c.id))]


async def of_host(db: AsyncConnection, host: str, now_ms: int) -> list[Grant]:
    """The living push tokens of one host, oldest first."""
    query = select(*token.c).where(_of(host, now_ms)).order_by(token.c.created_ms, token.c.id)
    return [_grant(row) for row in await db.execute(query)]


async def revoke(db: AsyncConnection, token_id: str, now_ms: int) -> bool:
    """End a token's life. False where there is no such token, or none alive."""
    result = await db.execute(update(token).where(token.c.id == token_id, _unrevoked()).values(revoked_ms=now_ms))
    return result.rowcount == 1


async def spend(db: AsyncConnection, token_id: str, now_ms: int) -> bool:
    """Take one use of a join token. False where none is left, or it is not alive."""
    which = (token.c.id == token_id) & (token.c.uses_left > 0) & _is_alive(now_ms)
    return (await db.execute(update(token).where(which).values(uses_left=token.c.uses_left - 1))).rowcount == 1


async def ask_to_renew(db: AsyncConnection, host: str, now_ms: int) -> list[str]:
    """Have the agent of this host exchange its tokens with its next push. Answers their ids."""
    due = update(token).where(_of(host, now_ms)).values(renew_ms=now_ms).returning(token.c.id)
    return sorted((await db.execute(due)).scalars())


async def retire(db: AsyncConnection, token_id: str, at_ms: int) -> None:
    """End its life at that time, if it would not end sooner; nobody asks for its renewal any more."""
    sooner = or_(token.c.expires_ms.is_(None), token.c.expires_ms > at_ms)
    await db.execute(update(token).where(token.c.id == token_id, sooner).values(expires_ms=at_ms))
    await db.execute(update(token).where(token.c.id == token_id).values(renew_ms=None))


def _unrevoked() -> ColumnElement[bool]:
    return token.c.revoked_ms.is_(None)


def _is_alive(now_ms: int | BindParameter[int]) -> ColumnElement[bool]:
    return _unrevoked() & or_(token.c.expires_ms.is_(None), token.c.expires_ms > now_ms)


_ALIVE = select(token.c.id, token.c.renew_ms).where(
    token.c.id.in_(bindparam("ids", expanding=True)), _is_alive(bindparam("now_ms"))
)
"""Asked with every batch of snapshots: to build a statement takes several times what its execution does."""


def _of(host: str, now_ms: int) -> ColumnElement[bool]:
    return (token.c.host == host) & (token.c.scope == Scope.PUSH.value) & _is_alive(now_ms)


def _grant(row: Any) -> Grant:
    return Grant(**{**row._mapping, "scope": Scope(row.scope)})  # noqa: SLF001 - SQLAlchemy's public name

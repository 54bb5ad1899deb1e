"""Rollouts: each the one revision of the fleet's configuration that it brings."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import insert, select, update

from collector.rollout.plan import Plan, Rollout, State
from collector.storage import tables
from collector.storage.database import AsyncConnection
from shared.settings import build

rollout = tables.rollout
MOST = 200
"""An older revision is in force nowhere, unless nobody has been meant by any since."""


async def add(db: AsyncConnection, plan: Plan, now_ms: int) -> int:
    """Begin one. Answers the number of its revision."""
    values = {"created_ms": now_ms, "state": State.RUNNING.value, "step": 0, "step_ms": now_ms, "why": ""}
    made = insert(rollout).values(values | {"plan": plan.document(), "baseline": {}}).returning(rollout.c.id)
    return int((await db.execute(made)).scalar_one())


async def newest(db: AsyncConnection, *, limit: int = MOST) -> list[Rollout]:
    """The newest first."""
    return [_rollout(row) for row in await db.execute(select(*rollout.c).order_by(rollout.c.id.desc()).limit(limit))]


async def find(db: AsyncConnection, rollout_id: int) -> Rollout | None:
    """The one of this number."""
    row = (await db.execute(select(*rollout.c).where(rollout.c.id == rollout_id))).one_or_none()
    return _rollout(row) if row else None


async def running(db: AsyncConnection) -> list[Rollout]:
    """Those that go on by themselves, the oldest first."""
    query = select(*rollout.c).where(rollout.c.state == State.RUNNING.value).order_by(rollout.c.id)
    return [_rollout(row) for row in await db.execute(query)]


async def halted(db: AsyncConnection) -> dict[str, str]:
    """Why each that stopped by itself did, by its number."""
    query = select(rollout.c.id, rollout.c.why).where(rollout.c.state == State.HALTED.value)
    return {str(row.id): row.why for row in await db.execute(query)}


async def save(db: AsyncConnection, before: Rollout, after: Rollout) -> bool:
    """Write down how it stands now. False where somebody else moved it since."""
    which = (rollout.c.id == before.id) & (rollout.c.state == before.state.value) & (rollout.c.step == before.step)
    values = {"state": after.state.value, "step": after.step, "step_ms": after.step_ms, "why": after.why}
    done = await db.execute(update(rollout).where(which).values(values | {"baseline": dict(after.baseline)}))
    return done.rowcount == 1


async def turn(db: AsyncConnection, rollout_id: int, to: State, out_of: Collection[State], now_ms: int) -> bool:
    """By a person. What is resumed bakes anew, compared with how hosts are now. False: it is in no such state."""
    which = (rollout.c.id == rollout_id) & rollout.c.state.in_([state.value for state in out_of])
    values: dict[str, Any] = {"state": to.value, "step_ms": now_ms}
    values |= {"why": "", "baseline": {}} if to is State.RUNNING else {}
    return (await db.execute(update(rollout).where(which).values(values))).rowcount == 1


def _rollout(row: Any) -> Rollout:
    return Rollout(
        id=row.id,
        plan=build(Plan, row.plan, "database"),
        created_ms=row.created_ms,
        state=State(row.state),
        step=row.step,
        step_ms=row.step_ms,
        why=row.why,
        baseline=row.baseline,
    )

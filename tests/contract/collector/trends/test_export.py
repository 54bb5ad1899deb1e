"""A window as text, piece by piece."""

import pytest
from sqlalchemy import update

from collector.history.tiers import HOUR_MS, RAW
from collector.storage import hosts, tables
from collector.trends.export import export
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting


async def exported(collector: Collecting) -> list[str]:
    async with collector.db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
    return [piece async for piece in export(collector.db, everyone, RAW, NOON_MS, NOON_MS + HOUR_MS)]


async def test_each_chunk_is_a_piece_and_a_damaged_one_is_left_out(
    collector: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    collector.clock.turn(3_600)
    for seq in range(3):
        await collector.push(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq * RAW.span_ms))
    await collector.compact()
    pieces = await exported(collector)
    assert [piece.count("\n") for piece in pieces] == [1, 1, 1, 1]
    broken = tables.chunk_raw.c.from_ms == NOON_MS
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.chunk_raw).where(broken).values(body=b"PGH1"))
    assert [piece.count("\n") for piece in await exported(collector)] == [1, 1, 1]
    assert "a chunk cannot be read" in caplog.text

"""A window as text, piece by piece."""

import csv

import pytest
from sqlalchemy import update

from collector.history.tiers import HOUR, HOUR_MS, MINUTE, RAW, Keep, Reach, Tier
from collector.storage import hosts, tables
from collector.trends.export import export
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting


async def exported(collector: Collecting, tier: Tier = RAW) -> list[str]:
    async with collector.db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
    reach = Reach(collector.clock(), Keep())
    return [piece async for piece in export(collector.db, everyone, tier, (NOON_MS, NOON_MS + HOUR_MS), reach)]


async def an_hour(collector: Collecting) -> None:
    """Three windows, a snapshot each, all settled."""
    collector.clock.turn(3_600)
    for seq in range(3):
        await collector.push(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq * RAW.span_ms))
    await collector.compact()


async def test_each_chunk_is_a_piece(collector: Collecting) -> None:
    await an_hour(collector)
    assert [piece.count("\n") for piece in await exported(collector)] == [1, 1, 1, 1]


async def test_a_damaged_chunk_is_a_line_that_says_so(collector: Collecting, caplog: pytest.LogCaptureFixture) -> None:
    await an_hour(collector)
    broken = tables.chunk_raw.c.from_ms == NOON_MS
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.chunk_raw).where(broken).values(body=b"PGH1"))
    lost, *rows = csv.DictReader("".join(await exported(collector)).splitlines())
    assert (lost["at_ms"], lost["host"], lost["lost_until_ms"]) == (str(NOON_MS), "lb1", str(NOON_MS + RAW.span_ms))
    assert {name for name, value in lost.items() if value} == {"at_ms", "host", "role", "lost_until_ms"}
    assert [(row["held"], row["lost_until_ms"]) for row in rows] == [("1", ""), ("2", "")]
    assert "a chunk cannot be read" in caplog.text


@pytest.mark.parametrize(("tier", "held"), [(MINUTE, ["0", "1", "2"]), (HOUR, ["2"])])
async def test_a_coarser_tier_has_what_it_is_still_to_be_made_from(
    collector: Collecting, tier: Tier, held: list[str]
) -> None:
    await an_hour(collector)
    rows = list(csv.DictReader("".join(await exported(collector, tier)).splitlines()))
    assert [row["held_max"] for row in rows] == held

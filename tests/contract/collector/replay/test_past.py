"""The past judged again, wherever history has it by now."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.compaction import AGAIN_MS, SPREAD_MS
from collector.history.tiers import DAY_MS, HOUR, MINUTE, MINUTE_MS, RAW, Keep, Reach, Tier
from collector.replay import plan
from collector.replay.past import LineShape, prepared
from collector.replay.plan import Asked
from collector.storage import silences, tables
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import AT_ONCE, Collecting

MINUTES, EVERY_MS = 30, 30_000
HOLDING = Rule(name="holding", severity="plan", raise_at=0.9, hold_s=60)
SILENT = next(rule for rule in BUILT_IN if rule.name == "host-silent")
RULES = (*AT_ONCE, HOLDING, SILENT)


async def told(collector: Collecting) -> None:
    """Half an hour of two hosts: lb1 climbs by nine ports a minute to 290 of 300 and falls; lb2 ends after ten."""
    for number in range(MINUTES * 2):
        at_ms = NOON_MS + number * EVERY_MS
        minute = number // 2
        held = 30 + minute * 9 if minute < 29 else 20
        collector.clock.now_ms = at_ms + 200
        await collector.push(a_snapshot(a_reading(held), seq=number, taken_at_ms=at_ms, interval_ms=EVERY_MS))
        if number < 20:
            more = a_snapshot(a_reading(5), host="lb2", seq=number, taken_at_ms=at_ms, interval_ms=EVERY_MS)
            await collector.push(more)


async def lines(collector: Collecting, asked: Asked) -> list[LineShape]:
    replay = await prepared(collector.db, asked, Reach(collector.clock(), Keep()))
    return [line async for line in replay.lines()]


def asked(rules: Sequence[Rule] = RULES, *, minutes: int = MINUTES, where: Where | None = None) -> Asked:
    to_ms = NOON_MS + minutes * MINUTE_MS
    return Asked(rules=tuple(rules), from_ms=NOON_MS, to_ms=to_ms, where=where or Where())


def changes(found: Sequence[LineShape]) -> list[tuple[int, str, str, str]]:
    """(minute, host, rule, after)."""
    moments = [line["moment"] for line in found if "moment" in line]
    return [((one["at_ms"] - NOON_MS) // MINUTE_MS, one["name"], one["rule"], one["after"]) for one in moments]


STORY = [
    (11, "lb2", "host-silent", "pending"),
    (11, "lb2", "host-silent", "firing"),
    (20, "lb1", "warm", "firing"),
    (25, "lb1", "hot", "firing"),
    (27, "lb1", "holding", "pending"),
    (28, "lb1", "holding", "firing"),
    (29, "lb1", "warm", "ok"),
    (29, "lb1", "hot", "ok"),
    (29, "lb1", "holding", "ok"),
]


async def test_the_story_is_the_same_from_the_log_and_from_chunks(collector: Collecting) -> None:
    await told(collector)
    from_the_log = await lines(collector, asked())
    assert changes(from_the_log) == STORY
    collector.clock.turn(120)
    await collector.compact()
    from_chunks = await lines(collector, asked())
    assert [line for line in from_chunks if "until_ms" not in line] == [
        line for line in from_the_log if "until_ms" not in line
    ]
    done = from_chunks[-1]["done"]
    assert (done["hosts"], done["reports"]) == (2, 80)
    assert done["sources"] == [{"tier": "raw", "from_ms": NOON_MS, "to_ms": NOON_MS + MINUTES * MINUTE_MS}]
    first = done["first"]
    assert first is not None
    assert (first["rule"], first["held"], first["capacity"], first["headroom_min"]) == ("warm", 210, 300, 90)
    assert "holds 210 of 300 ports (70 %), 90 left" in first["summary"]


async def test_what_the_evaluation_said_then_is_what_a_replay_says(collector: Collecting) -> None:
    """The same rules over the same reports, received when they were received."""
    for number, held in enumerate((100, 215, 260, 215, 100)):
        collector.clock.now_ms = NOON_MS + number * 10_000
        await collector.push(a_snapshot(a_reading(held), seq=number, taken_at_ms=collector.clock() - 150))
        await collector.evaluate()
    happened = await collector.get("/v1/transitions")
    lived = [(one["at_ms"], one["rule"], one["before"], one["after"], one["held"]) for one in happened["items"]]
    moments = [line["moment"] for line in await lines(collector, asked(AT_ONCE, minutes=1)) if "moment" in line]
    assert sorted((one["at_ms"], one["rule"], one["before"], one["after"], one["held"]) for one in moments) == sorted(
        lived
    )
    assert len(lived) == 4


BACKEND = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")
COURSES = {
    "lb1": [210, 270, 270, 270, 270, 270, 270, 270, 270, 270, 220, 100],
    "lb2": [10, 10, 265, 265, 265, 265, 265, 265, 265, 265, 10, 10],
    "lb3": [10, 10, 260, 260, 260, 260, 260, 260, 260, 260, 10, 10],
    "lb4": [10, 10, 10, 10, 10, 280, 280, 280, 280, 280, 280, 10],
}
"""Ports held, each ten seconds: the first pages, two follow and make it grow, lb4 is silenced for a while."""


async def lived(collector: Collecting) -> None:
    """Two minutes of COURSES, evaluated each second as they came; lb4 has a backend of its own."""
    quiet = Silence(
        author="ops",
        reason="upgrade",
        starts_ms=NOON_MS,
        ends_ms=NOON_MS + 75_000,
        where=Where(host=("lb4",)),
        created_ms=NOON_MS,
    )
    async with collector.db.writing() as connection:
        await silences.add(connection, quiet)
    for second in range(125):
        collector.clock.now_ms = NOON_MS + second * 1_000
        for host, course in COURSES.items() if second % 10 == 0 and second < 120 else ():
            pool = a_pool(8081, local="10.0.3.7", peer="10.0.9.21") if host == "lb4" else BACKEND
            reading = a_reading(course[second // 10], pool=pool)
            await collector.push(a_snapshot(reading, host=host, seq=second, taken_at_ms=collector.clock()))
        await collector.evaluate()


async def test_what_people_were_told_then_is_what_a_replay_tells(collector: Collecting) -> None:
    """Grouped, grown, hidden behind a page, silenced and told after all, over: each as it was, to the second."""
    await lived(collector)
    query = select(tables.outbox.c.document).where(tables.outbox.c.channel == "log").order_by(tables.outbox.c.id)
    async with collector.db.reading() as connection:
        documents = list((await connection.execute(query)).scalars())
    happened = [(one["at_ms"], one["severity"], one["cause"], one["hosts"], one["summary"]) for one in documents]
    notices = [one["notice"] for one in await lines(collector, asked(AT_ONCE, minutes=3)) if "notice" in one]
    replayed = [(one["at_ms"], one["severity"], one["cause"], one["hosts"], one["summary"]) for one in notices]
    assert replayed == happened
    assert [((one["at_ms"] - NOON_MS) // 1_000, one["severity"], one["telling"], one["hosts"]) for one in notices] == [
        (0, "plan", "firing", 1),
        (10, "page", "firing", 1),
        (40, "page", "grew", 3),
        (75, "page", "firing", 1),
        (100, "page", "resolved", 0),
        (110, "plan", "resolved", 0),
        (110, "page", "resolved", 0),
    ]
    [grew] = [one for one in notices if one["telling"] == "grew"]
    assert grew["first"] is not None
    assert grew["first"].startswith("lb1: ")


async def test_read_in_parts_it_is_the_same_story(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many hosts a minute is read at a time; a chunk that cannot be read is lost once."""
    await lived(collector)
    collector.clock.turn(3_600)
    await collector.compact()
    is_bad = (tables.chunk_raw.c.from_ms == NOON_MS) & (tables.chunk_raw.c.host_id == 3)
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.chunk_raw).where(is_bad).values(body=b"PGH1"))
    whole = await lines(collector, asked(AT_ONCE, minutes=3))
    monkeypatch.setattr(plan, "MOST_INSTANTS", 6 * len(COURSES))
    parts = await lines(collector, asked(AT_ONCE, minutes=3))
    assert [one for one in parts if "until_ms" not in one] == [one for one in whole if "until_ms" not in one]
    assert len(parts[-1]["done"]["damaged"]) == 1
    assert sum("until_ms" in one for one in parts) > sum("until_ms" in one for one in whole)


async def test_notices_of_the_time_before_the_window_are_not_told_again_and_their_end_is(collector: Collecting) -> None:
    await lived(collector)
    late = Asked(rules=AT_ONCE, from_ms=NOON_MS + 90_000, to_ms=NOON_MS + 180_000, where=Where(host=("lb1",)))
    notices = [one["notice"] for one in await lines(collector, late) if "notice" in one]
    assert [(one["severity"], one["telling"]) for one in notices] == [("page", "resolved"), ("plan", "resolved")]


async def test_only_notices_about_pools_that_are_asked_for_are_told(collector: Collecting) -> None:
    await lived(collector)
    found = await lines(collector, asked(AT_ONCE, minutes=3, where=Where(peer=(":8081",))))
    assert {one["notice"]["cause"] for one in found if "notice" in one} == {"backend 10.0.9.21:8081"}


@pytest.mark.parametrize(("tier", "days"), [(MINUTE, 3), (HOUR, 40)])
async def test_an_old_story_is_told_by_the_worst_of_each_step(collector: Collecting, tier: Tier, days: int) -> None:
    await told(collector)
    collector.clock.turn(120)
    await collector.compact()
    for step in (MINUTE, HOUR):
        collector.clock.turn((step.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
        await collector.compact()
    collector.clock.now_ms = NOON_MS + days * DAY_MS
    found = await lines(collector, asked())
    assert [one["tier"] for one in found[-1]["done"]["sources"]] == [tier.name]
    of_pools = [one for one in changes(found) if one[2] != "host-silent"]
    by_minute = [one for one in STORY if one[2] != "host-silent"]
    by_hour = [
        (0, "lb1", rule, state) for rule, state in (("warm", "firing"), ("hot", "firing"), ("holding", "pending"))
    ]
    assert of_pools == (by_minute if tier is MINUTE else by_hour)


async def test_only_what_is_asked_for_is_judged_and_told_of(collector: Collecting) -> None:
    await told(collector)
    found = await lines(collector, asked(where=Where(host=("lb1",))))
    assert {host for _, host, _, _ in changes(found)} == {"lb1"}
    assert found[-1]["done"]["hosts"] == 1
    assert changes(await lines(collector, asked(where=Where(peer=(":9002",))))) == []


async def test_what_stood_when_the_window_begins_is_told_as_that(collector: Collecting) -> None:
    await told(collector)
    begin_ms = NOON_MS + 26 * MINUTE_MS
    late = Asked(rules=RULES, from_ms=begin_ms, to_ms=begin_ms + MINUTE_MS)
    done = (await lines(collector, late))[-1]["done"]
    assert {(one["rule"], one["state"], one["name"]) for one in done["standing"]} == {
        ("warm", "firing", "lb1"),
        ("hot", "firing", "lb1"),
    }
    assert done["first"] is None


async def test_a_backlog_that_came_late_was_no_news_and_is_none_again(collector: Collecting) -> None:
    collector.clock.turn(60)
    await collector.push(a_snapshot(a_reading(10), seq=2, taken_at_ms=NOON_MS + 50_000))
    collector.clock.turn(1)
    await collector.push(a_snapshot(a_reading(290), seq=1, taken_at_ms=NOON_MS + 10_000))
    found = await lines(collector, asked(AT_ONCE, minutes=2))
    assert (changes(found), found[-1]["done"]["reports"]) == ([], 1)


async def test_the_forecast_remembers_the_week_before_the_window(collector: Collecting) -> None:
    """A rise within what the pool did every day is no alarm; the same rise of a pool that never did is one."""
    soon = [rule for rule in BUILT_IN if rule.name == "pool-spent-soon"]
    for day in (3, 2, 1):
        collector.clock.now_ms = NOON_MS - day * DAY_MS
        await collector.push(a_snapshot(a_reading(280), seq=10 - day, taken_at_ms=collector.clock()))
    for step in range(60):
        collector.clock.now_ms = NOON_MS + 5_000 * step
        readings = [a_reading(170 + step * 95 // 60, pool=a_pool(port)) for port in (9001, 9002)]
        await collector.push(a_snapshot(*readings, seq=100 + step, taken_at_ms=collector.clock(), interval_ms=5_000))
    found = await lines(collector, asked(soon, minutes=10))
    fired = [line["moment"]["peer_port"] for line in found if "moment" in line and line["moment"]["told"] == "firing"]
    assert fired == [9002]


async def test_a_damaged_chunk_is_told_and_the_rest_is_judged(collector: Collecting) -> None:
    await told(collector)
    collector.clock.turn(120)
    await collector.compact()
    broken = tables.chunk_raw.c.from_ms == NOON_MS
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.chunk_raw).where(broken).values(body=b"PGH1"))
    found = await lines(collector, asked(AT_ONCE))
    end_ms = NOON_MS + RAW.span_ms
    assert found[-1]["done"]["damaged"] == [
        {"host": host, "from_ms": NOON_MS, "to_ms": end_ms} for host in ("lb1", "lb2")
    ]
    assert (20, "lb1", "warm", "firing") in changes(found)

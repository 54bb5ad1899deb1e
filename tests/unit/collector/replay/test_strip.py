"""Chunks as the reports they were made of."""

from collections.abc import Sequence
from dataclasses import replace

from collector.alerts.glance import Calm, calm_of
from collector.alerts.playing import Report
from collector.alerts.rules import Rule
from collector.fleet.host import Host
from collector.history.gather import gather, unpack
from collector.history.rollup import rolled
from collector.history.tiers import MINUTE, RAW, Tier
from collector.replay.strip import Strip
from shared import wire
from shared.model import Pool, Remainder, Snapshot, Unreadable
from shared.tcp import State
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot

HOST = Host(id=7, name="lb1", labels={"role": "edge"})
WHOLE = (NOON_MS, NOON_MS + RAW.span_ms)
LATE_MS = 250
ALL, IN_PART = True, False


def a_strip(*snapshots: Snapshot, tier: Tier = RAW, calm: Calm | None = None, span: tuple[int, int] = WHOLE) -> Strip:
    bodies = [
        unpack(number, one.taken_at_ms, one.taken_at_ms + LATE_MS, wire.encode(one), {})
        for number, one in enumerate(snapshots)
    ]
    pools = sorted({pool for body in bodies for pool in body.pools})
    ids = {pool: number for number, pool in enumerate(pools, start=1)}
    named: dict[int, Pool] = {number: pool for pool, number in ids.items()}
    chunk = gather(bodies, ids)
    return Strip(chunk if tier is RAW else rolled([chunk], tier.step_ms, named), tier, HOST, named, calm, span)


def reports(strip: Strip) -> Sequence[Report]:
    return [report for *_, report in strip.reports()]


def test_a_raw_report_is_the_snapshot_that_was_sent() -> None:
    reading = replace(a_reading(200, states={State.TIME_WAIT: 200}), failures=3, owner="haproxy.service", knee=True)
    space = replace(a_namespace(remainder=Remainder(2, 9, 5)), settings={"tcp_tw_reuse": 2}, inode=0)
    sent = a_snapshot(reading, a_reading(7, pool=a_pool(9002)), namespaces=[space])
    [(at_ms, taken_ms, report)] = a_strip(sent).reports()
    assert (at_ms, taken_ms, report.at_ms) == (NOON_MS + LATE_MS, NOON_MS, NOON_MS + LATE_MS)
    assert (report.place.host, report.place.role, report.host_id, report.interval_ms) == ("lb1", "edge", 7, 10_000)
    seen = report.read(ALL)
    assert (seen.readings, seen.namespaces, seen.labels) == (sent.readings, sent.namespaces, sent.labels)
    assert report.pools is None


def test_what_was_taken_outside_of_the_span_is_left_out() -> None:
    sent = [a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq * 1000) for seq in range(4)]
    found = a_strip(*sent, span=(NOON_MS + 1000, NOON_MS + 3000)).reports()
    assert [taken_ms - NOON_MS for _, taken_ms, _ in found] == [1000, 2000]
    assert [report.read(ALL).readings[0].held for *_, report in found] == [1, 2]


def test_ports_past_what_two_bytes_hold_are_kept_whole() -> None:
    """No pool holds so many; what all other pools of a namespace hold together may be more."""
    space = a_namespace(remainder=Remainder(3, 70_000, 65_535))
    [report] = reports(a_strip(a_snapshot(a_reading(65_000, 65_535), namespaces=[space])))
    seen = report.read(ALL)
    assert (seen.readings[0].held, seen.namespaces[0].remainder) == (65_000, Remainder(3, 70_000, 65_535))


def test_in_part_a_report_lists_only_pools_that_a_rule_may_speak_of() -> None:
    """At a level to the port: 0.55 times 100 is more than 55 to a computer."""
    rules = [Rule(name="hot", severity="page", raise_at=0.55)]
    crowd = [a_reading(held, 100, pool=a_pool(9000 + held)) for held in (54, 55, 56)]
    space = a_namespace(remainder=Remainder(4, 8, 2))
    [report] = reports(a_strip(a_snapshot(*crowd, namespaces=[space]), calm=calm_of(rules)))
    assert [reading.held for reading in report.read(IN_PART).readings] == [55, 56]
    assert len(report.read(ALL).readings) == 3
    assert report.pools == 7


def test_a_failure_is_a_failure_again() -> None:
    [report] = reports(a_strip(a_failure("sock_diag refused")))
    seen = report.read(ALL)
    assert (seen.failure, seen.readings, seen.namespaces) == ("sock_diag refused", (), ())


def test_what_a_report_could_not_see_is_told_and_of_a_roll_up_nobody_knows() -> None:
    """So that a namespace it does not list is not taken for one that has ended."""
    hidden = replace(a_snapshot(a_reading(9)), unreadable=(Unreadable(2, "it needs CAP_SYS_ADMIN"),))
    whole = a_snapshot(a_reading(9), seq=2, taken_at_ms=NOON_MS + 10_000)
    assert [bool(report.read(ALL).unreadable) for report in reports(a_strip(hidden, whole))] == [True, False]
    assert [bool(report.read(ALL).unreadable) for report in reports(a_strip(whole, tier=MINUTE))] == [True]


def test_a_step_of_a_roll_up_is_told_by_its_worst() -> None:
    sent = [
        a_snapshot(replace(a_reading(held), failures=1), seq=seq, taken_at_ms=NOON_MS + seq * 10_000)
        for seq, held in enumerate((100, 260, 90, 20, 20, 20, 30))
    ]
    first, second = reports(a_strip(*sent, tier=MINUTE))
    assert (first.at_ms, second.at_ms, first.interval_ms) == (NOON_MS, NOON_MS + 60_000, 60_000)
    [reading] = first.read(ALL).readings
    assert (reading.held, reading.capacity, reading.headroom_min, reading.failures) == (260, 300, 40, 6)
    assert second.read(ALL).readings[0].held == 30


def test_a_minute_of_failures_is_a_failure_and_one_of_some_is_not() -> None:
    blind = [a_failure(seq=seq, taken_at_ms=NOON_MS + seq * 10_000) for seq in range(6)]
    mixed = [
        a_failure(seq=6, taken_at_ms=NOON_MS + 60_000),
        a_snapshot(a_reading(9), seq=7, taken_at_ms=NOON_MS + 70_000),
    ]
    first, second = reports(a_strip(*blind, *mixed, tier=MINUTE))
    assert first.read(ALL).failure == "it could not sample"
    assert second.read(ALL).failure is None


def test_pools_that_are_worth_a_forecast_are_known() -> None:
    strip = a_strip(a_snapshot(a_reading(150), a_reading(149, pool=a_pool(9002))))
    assert strip.half_full(0.5) == [a_pool()]

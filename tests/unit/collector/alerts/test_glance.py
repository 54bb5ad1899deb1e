"""A glance must never hide what a full reading would tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.builtin import BUILT_IN
from collector.alerts.evaluate import Verdict
from collector.alerts.glance import Glance, calm_of, glance, picked
from collector.alerts.rules import Rule
from collector.alerts.watch import Watch
from collector.alerts.where import Place, Where
from collector.forecast.foresight import Foresight
from shared import wire
from shared.model import Reading, Remainder, Snapshot, Unreadable
from shared.tcp import State
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot

if TYPE_CHECKING:
    from collector.alerts.observe import Filling

LB1 = Place(host="lb1", role="edge", labels={"role": "edge"})


def seen(*readings: Reading) -> Glance:
    found = glance(wire.encode(a_snapshot(*readings)))
    assert found
    return found


def test_the_worst_of_each_column_is_seen() -> None:
    found = seen(a_reading(30), replace(a_reading(60, pool=a_pool(9002)), failures=2, knee=True))
    assert (found.pools, found.occupancy, found.headroom) == (2, 0.2, 240)
    assert (found.failures, found.has_knee, found.place) == (2, True, LB1)
    assert found.settings == ("40000–40299", 0, None)


def test_pools_that_are_not_listed_are_counted() -> None:
    rest = a_namespace(remainder=Remainder(pools=7, held=7, max_held=1))
    found = glance(wire.encode(a_snapshot(namespaces=[rest])))
    assert found
    assert (found.pools, found.occupancy) == (7, 0.0)


@pytest.mark.parametrize(
    "body",
    [
        b"\x80",
        b"",
        wire.encode(a_failure()),
        wire.encode(a_snapshot(a_reading(0, 0))),
    ],
)
def test_what_is_out_of_the_ordinary_is_read_in_full(body: bytes) -> None:
    assert glance(body) is None


def test_what_a_rule_looks_at_must_be_calm() -> None:
    calm = calm_of(BUILT_IN)
    assert calm
    assert calm.holds(seen(a_reading(149)))
    assert not calm.holds(seen(a_reading(150)))
    assert not calm.holds(seen(replace(a_reading(10), failures=1)))
    knee = calm_of([Rule(name="k", severity="plan", condition="knee")])
    few = calm_of([Rule(name="f", severity="plan", condition="headroom", raise_at=250)])
    assert knee
    assert few
    assert not knee.holds(seen(replace(a_reading(10), knee=True)))
    assert few.holds(seen(a_reading(49)))
    assert not few.holds(seen(a_reading(50)))


def test_a_rule_that_counts_some_pools_only_needs_every_snapshot_in_full() -> None:
    rule = Rule(
        name="x", severity="plan", subject="fleet", condition="share-above", level=0.5, raise_at=0.5,
        where=Where(kind=("bind",)),
    )  # fmt: skip
    assert calm_of([rule]) is None


def test_only_pools_that_a_rule_looks_at_are_read() -> None:
    calm = calm_of(BUILT_IN)
    assert calm
    failing, cramped = (replace(a_reading(10, pool=a_pool(port)), failures=port - 9002) for port in (9003, 9002))
    assert calm.rows(seen(a_reading(80), cramped, failing)) == [0, 2]
    assert calm.rows(seen(cramped)) == []


def test_a_forecast_is_told_of_hosts_with_pools_that_are_filling() -> None:
    told: list[tuple[str, Filling, int]] = []
    soon = Rule(name="s", severity="plan", condition="seconds-until-spent", raise_at=60, clear_at=90)
    only_lb1 = Watch([replace(soon, where=Where(host=("lb1",)))], (), note=lambda *one: told.append(one))
    filling = listed(a_reading(20), a_reading(75, pool=a_pool(9002)))
    assert only_lb1.is_calm(filling, NOON_MS, host_id=1)
    [(host, report, at_ms)] = told
    assert (host, at_ms) == ("lb1", NOON_MS)
    assert [report.held_by(a_pool(port)) for port in (9001, 9002, 9003)] == [None, 75, None]
    assert only_lb1.is_calm(replace(filling, place=replace(LB1, host="lb2")), NOON_MS, host_id=2)
    assert only_lb1.is_calm(listed(a_reading(74)), NOON_MS, host_id=1)
    nobody_foretells = Watch(
        [Rule(name="o", severity="plan", condition="occupancy", raise_at=0.7)], (), note=lambda *one: told.append(one)
    )
    assert nobody_foretells.is_calm(filling, NOON_MS, host_id=1)
    assert len(told) == 1


def test_where_it_is_not_known_which_pools_are_filling_all_is_read() -> None:
    watch = Watch(BUILT_IN, ())
    body = seen(a_reading(80)).body
    strange = replace(seen(a_reading(80)), body=msgspec.structs.replace(body, identities_hash=b"never seen"))
    assert not watch.is_calm(strange, NOON_MS, host_id=1)


def test_a_pool_at_a_level_is_not_seen_below_it() -> None:
    """210 of 300 in 32 bits is less than 0.7."""
    calm = calm_of([Rule(name="o", severity="plan", condition="occupancy", raise_at=0.7)])
    assert calm
    assert not calm.holds(seen(a_reading(210)))
    assert calm.rows(seen(a_reading(210))) == [0]


def test_what_is_open_is_read_beside_what_may_be_hot() -> None:
    watch = Watch(BUILT_IN, ())
    watch.take(LB1, a_snapshot(a_reading(299)), 10_000, NOON_MS, host_id=1)

    cooled, hot = a_reading(2), a_reading(290, pool=a_pool(9002))
    assert watch.rows(listed(cooled, hot, a_reading(1, pool=a_pool(9003)))) == [0, 1]
    assert watch.rows(listed(a_reading(1, pool=a_pool(9003)))) == []


def test_where_it_is_not_known_which_pools_are_listed_and_something_is_open_all_is_read() -> None:
    watch = Watch(BUILT_IN, ())
    watch.take(LB1, a_snapshot(a_reading(299)), 10_000, NOON_MS, host_id=1)
    body = seen(a_reading(299, pool=a_pool(9_999))).body
    strange = replace(seen(a_reading(299)), body=msgspec.structs.replace(body, identities_hash=b"never seen"))

    assert watch.rows(strange) is None
    assert picked(strange, [0]) is None


def listed(*readings: Reading) -> Glance:
    """Seen by a process that has read it in full before."""
    wire.decode(wire.encode(a_snapshot(*readings)))
    return seen(*readings)


rows_of_a_report = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 9), st.sampled_from(["", "haproxy.service", "nginx.service"])),
    max_size=6,
)


@given(rows_of_a_report, st.data())
def test_what_is_picked_is_what_a_full_reading_tells_of_these_pools(
    told: Sequence[tuple[int, int, str]], data: st.DataObject
) -> None:
    readings = [
        replace(
            a_reading(held, pool=a_pool(9001 + row)),
            states={State.ESTABLISHED: held // 2, State.TIME_WAIT: held - held // 2} if held else {},
            failures=failures,
            owner=owner,
            knee=(None, False, True)[failures % 3],
            recyclable=min(failures, held),
        )
        for row, (held, failures, owner) in enumerate(told)
    ]
    rest = a_namespace(remainder=Remainder(pools=3, held=9, max_held=4))
    hidden = data.draw(st.sampled_from([(), (Unreadable(2, "it needs CAP_SYS_ADMIN"),)]))
    body = wire.encode(replace(a_snapshot(*readings, namespaces=[rest]), unreadable=hidden))
    rows = data.draw(st.lists(st.sampled_from(range(len(told))), unique=True) if told else st.just([]))

    full = wire.decode(body, rows=rows)
    found = glance(body)
    assert found
    assert picked(found, rows) == as_rules_look_at_it(full)


def as_rules_look_at_it(snapshot: Snapshot) -> Snapshot:
    bare = tuple(replace(one, totals={}, claims=None) for one in snapshot.namespaces)
    return replace(snapshot, namespaces=bare, machine_id="", state=None, evidence=(), uptime_ms=0)


reports = st.lists(
    st.tuples(
        st.integers(0, 2), st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=3), st.integers(1, 40)
    ),
    max_size=15,
)
Reports = Sequence[tuple[int, Sequence[tuple[int, bool]], int]]


@given(reports)
def test_whatever_is_reported_a_glance_changes_nothing(story: Reports) -> None:
    assert played(story, at_a_glance=True) == played(story, at_a_glance=False)


def test_a_burst_is_foretold_as_soon_where_it_was_only_glanced_at_on_its_way() -> None:
    burst = [(0, [(held, False)], 1) for held in range(50, 300, 25)]
    glanced = played(burst, at_a_glance=True)
    assert glanced == played(burst, at_a_glance=False)
    foretold = [one.case.seen.forecast for said in glanced for one in said if one.case.rule == "pool-spent-soon"]
    assert foretold[0]
    assert foretold[0].seconds < 10


def played(story: Reports, *, at_a_glance: bool) -> list[tuple[Verdict, ...]]:
    foresight = Foresight()
    watch, now_ms, said = Watch(BUILT_IN, (), foresight, foresight.note), NOON_MS, []
    for seq, (host, helds, passed_s) in enumerate(story):
        now_ms += passed_s * 1000
        readings = [
            replace(a_reading(held, pool=a_pool(9001 + row)), failures=int(failed and held > 250))
            for row, (held, failed) in enumerate(helds)
        ]
        snapshot = a_snapshot(*readings, host=f"lb{host}", seq=seq)
        found = glance(wire.encode(snapshot)) if at_a_glance else None
        place = Place(host=f"lb{host}", role="edge", labels={"role": "edge"})
        verdicts: list[Verdict] = []
        if not (found and watch.is_calm(found, now_ms, host_id=host)):
            rows = watch.rows(found) if found else None
            part = picked(found, rows) if found and rows is not None else None
            read, pools = part or wire.decode(wire.encode(snapshot)), found.pools if found and part else None
            verdicts = watch.take(place, read, 10_000, now_ms, host_id=host, pools=pools)
        said.append((*verdicts, *watch.tick(now_ms, {"log": 0.0})))
        for key in foresight.wanted(99):
            foresight.learn(key, ())
    return said

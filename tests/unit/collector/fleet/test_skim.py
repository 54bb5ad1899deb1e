"""What is skimmed is what a full reading tells."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.fleet.skim import Bar, Sheet, Skim, skim
from collector.storage.hot import Logged
from shared import wire
from shared.model import Evidence, Remainder, Snapshot, Unreadable
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot

COUNTS = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)
"""(held, capacity) of a pool: few numbers, so that many are equal; some have nothing to lend."""
FLEETS = st.lists(st.lists(COUNTS, max_size=4), max_size=5)


def told(counts: Sequence[Sequence[int]]) -> Snapshot:
    return a_snapshot(*(a_reading(*one, pool=a_pool(9001 + row)) for row, one in enumerate(counts)))


def skimmed(snapshot: Snapshot) -> Skim:
    found = skim(Logged(1, 1, NOON_MS, NOON_MS, wire.encode(snapshot)))
    assert found
    return found


@given(FLEETS, st.integers(0, 8), st.integers(0, 9), st.sampled_from([0.5, 1.0]))
def test_the_pools_above_a_bar_are_found_on_every_host(
    fleet: Sequence[Sequence[Sequence[int]]], eighths: int, headroom: int, most: float
) -> None:
    snapshots = [told(counts) for counts in fleet]
    sheet, bar = Sheet([skimmed(one) for one in snapshots]), Bar(eighths / 8, headroom)

    found = dict(sheet.above(bar, most))

    above = {
        number: rows
        for number, one in enumerate(snapshots)
        if (
            rows := [
                row
                for row, reading in enumerate(one.readings)
                if (-reading.occupancy, reading.headroom_min) < (-bar.occupancy, bar.headroom)
                and reading.occupancy <= most
            ]
        )
    }
    assert found == above
    assert sheet.held == sum(reading.held for one in snapshots for reading in one.readings)


@given(FLEETS, st.integers(0, 9))
def test_the_bar_of_some_leaves_out_none_of_the_fullest(fleet: Sequence[Sequence[Sequence[int]]], most: int) -> None:
    snapshots = [told(counts) for counts in fleet]
    sheet = Sheet([skimmed(one) for one in snapshots])
    everything = sorted((one.occupancy for snapshot in snapshots for one in snapshot.readings), reverse=True)

    found = [snapshots[number].readings[row].occupancy for number, rows in sheet.above(sheet.bar(most)) for row in rows]

    assert sorted(found, reverse=True)[:most] == everything[:most]


def test_without_a_bar_every_pool_is_there_the_empty_ones_too() -> None:
    assert dict(Sheet([skimmed(told([(0, 8), (0, 0)]))]).above(Bar())) == {0: [0, 1]}


def test_the_first_of_its_kind_and_those_after_tell_the_same() -> None:
    """The first list of pools is read in full, and remembered."""
    rest = a_namespace(remainder=Remainder(pools=7, held=40, max_held=15))
    said = Evidence(a_pool(9_876), "haproxy", "no free ports", 3, NOON_MS)
    plain = a_snapshot(a_reading(3, pool=a_pool(9_876)), a_reading(5, pool=a_pool(9_877)), namespaces=[rest])
    partly = replace(plain, unreadable=(Unreadable(3, "no right to enter them"),), evidence=(said,))

    for snapshot in (plain, partly):
        for seen in (skimmed(snapshot), skimmed(snapshot)):
            assert (seen.pools, seen.unreadable) == (9, sum(one.namespaces for one in snapshot.unreadable))
            assert [one.remainder for one in seen.unlisted] == [rest.remainder]
            part = seen.part([1])
            assert (part.readings, part.evidence) == (snapshot.readings[1:], snapshot.evidence)


def test_what_cannot_be_read_is_nothing() -> None:
    assert skim(Logged(1, 1, NOON_MS, NOON_MS, b"\x80")) is None

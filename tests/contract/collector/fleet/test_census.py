"""All pools of the fleet taken stock of."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.fleet.census import Census, Count, take_census
from collector.fleet.host import Host, Presence
from collector.storage.hot import Logged
from shared import wire
from shared.model import Reading, Remainder, Snapshot, Unreadable
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


def pools_held(census: Census) -> list[tuple[str, int]]:
    return [(item.host, item.reading.held) for item in census.fullest]


def a_host(number: int, *, last_ms: int = NOON_MS, failure: str | None = None) -> Host:
    return Host(
        id=number, name=f"lb{number}", latest_received_ms=last_ms, interval_ms=10_000, labels={}, failure=failure
    )


def counted(most: int, *told: tuple[Host, Snapshot]) -> Census:
    """The census of these hosts, one at a time."""
    count = Count(most, NOON_MS)
    for host, snapshot in told:
        count.add([host], {host.id: Logged(host.id, host.id, NOON_MS, NOON_MS, wire.encode(snapshot))})
    return count.census()


async def test_the_fullest_are_told_and_all_others_are_sums(collector: Collecting) -> None:
    rest = a_namespace(remainder=Remainder(pools=7, held=40, max_held=15))
    readings = [a_reading(held, pool=a_pool(9000 + held)) for held in (10, 250, 30)]
    await collector.push(a_snapshot(*readings, namespaces=[rest]), a_snapshot(a_reading(200), host="lb2"))

    census = await take_census(collector.db, 2, collector.clock())

    assert pools_held(census) == [("lb1", 250), ("lb2", 200)]
    assert (census.other_pools, census.other_held) == (2 + 7, 10 + 30 + 40)
    assert census.other_occupancy == 30 / 300


async def test_who_does_not_report_takes_no_place_of_those_who_do(collector: Collecting) -> None:
    """A silent host's last readings may be full for ever: they would hide what is filling now."""
    await collector.push(a_snapshot(a_reading(299), host="silent"))
    collector.clock.turn(3600)
    later = collector.clock()
    await collector.push(
        a_snapshot(a_reading(298), host="blind", taken_at_ms=later),
        replace(a_failure(seq=2, taken_at_ms=later), host="blind"),
        a_snapshot(a_reading(20), host="lb1", taken_at_ms=later),
    )

    census = await take_census(collector.db, 1, later)

    assert pools_held(census) == [("lb1", 20)]
    assert (census.other_pools, census.other_held) == (0, 0)
    assert census.doubtful == {Presence.SILENT: 1, Presence.BLIND: 1}


def test_what_a_host_does_not_list_bounds_what_is_told_of_the_others() -> None:
    rest = a_namespace(remainder=Remainder(pools=1, held=120, max_held=120))
    census = counted(5, (a_host(1), a_snapshot(a_reading(200), namespaces=[rest])))
    assert (pools_held(census), census.other_occupancy) == ([("lb1", 200)], 120 / 300)


def test_the_fullest_of_the_others_is_known_also_where_none_is_told() -> None:
    census = counted(0, (a_host(1), a_snapshot(a_reading(200))), (a_host(2), a_snapshot(a_reading(100))))
    assert (census.fullest, census.other_pools, census.other_occupancy) == ([], 2, 200 / 300)


def test_what_cannot_be_read_is_counted_and_not_taken_for_empty() -> None:
    count = Count(5, NOON_MS)
    count.add([a_host(1)], {1: Logged(1, 1, NOON_MS, NOON_MS, b"\x80")})
    partly = replace(a_snapshot(a_reading(1)), unreadable=(Unreadable(3, "no right to enter them"),))
    count.add([a_host(2)], {2: Logged(2, 2, NOON_MS, NOON_MS, wire.encode(partly))})
    census = count.census()
    assert (census.unreadable_hosts, census.unreadable_namespaces) == (1, 3)


fleets = st.lists(st.lists(st.integers(0, 300), max_size=4), max_size=6)


@given(fleets, st.integers(0, 8))
def test_told_and_others_add_up_to_all_there_is(fleet: Sequence[Sequence[int]], most: int) -> None:
    def readings(helds: Sequence[int]) -> list[Reading]:
        return [a_reading(held, pool=a_pool(9000 + row)) for row, held in enumerate(helds)]

    census = counted(most, *((a_host(n), a_snapshot(*readings(helds), host=f"lb{n}")) for n, helds in enumerate(fleet)))

    everything = sorted((held for helds in fleet for held in helds), reverse=True)
    assert [held for _, held in pools_held(census)] == everything[:most]
    assert (census.other_pools, census.other_held) == (len(everything[most:]), sum(everything[most:]))
    assert census.other_occupancy == max(everything[most:], default=0) / 300

"""What Prometheus is told of the fleet's pools."""

from collections.abc import Mapping

from prometheus_client import Metric

from collector.fleet.census import Census
from collector.fleet.host import PoolNow, Presence
from collector.fleet.looks import Look
from collector.fleet.series import Ends, series
from shared.addresses import parse_ip
from shared.model import Kind, Pool
from tests.builders import NOON_MS, a_reading

NAMES = "portgauge_collector_"


def told(look: Look[Census] | None, ends: Ends | None = None) -> Mapping[str, Metric]:
    families = series(look, ends or {}, NOON_MS + 4_000)
    return {family.name.removeprefix(NAMES): family for family in families}


def a_look(census: Census) -> Look[Census]:
    return Look(census, NOON_MS, 0.1)


def now(held: int) -> PoolNow:
    return PoolNow("lb1", "edge", a_reading(held), NOON_MS, is_current=True)


def test_a_pool_has_five_series_at_most() -> None:
    item = now(290)
    families = told(a_look(Census(fullest=[item])), {(item.host, item.reading.pool): 90.0})
    labels = {
        "host": "lb1", "role": "edge", "netns": "host", "kind": "connect",
        "local_ip": "127.0.0.1", "peer_ip": "127.0.0.1", "peer_port": "9001",
    }  # fmt: skip
    of_pools = {name: family.samples for name, family in families.items() if name.startswith("pool_")}
    assert {name: [(one.labels, one.value) for one in samples] for name, samples in of_pools.items()} == {
        "pool_held_ports": [(labels, 290)],
        "pool_capacity_ports": [(labels, 300)],
        "pool_headroom_min_ports": [(labels, 10)],
        "pool_headroom_max_ports": [(labels, 10)],
        "pool_until_spent_seconds": [(labels, 90)],
    }


def test_a_pool_for_all_destinations_names_none() -> None:
    pool = Pool("host", Kind.BIND, parse_ip("10.0.0.1"))
    item = PoolNow("lb1", None, a_reading(pool=pool), NOON_MS, is_current=True)
    [sample] = told(a_look(Census(fullest=[item])))["pool_held_ports"].samples
    assert {name: sample.labels[name] for name in ("kind", "role", "peer_ip", "peer_port")} == {
        "kind": "bind", "role": "", "peer_ip": "", "peer_port": "",
    }  # fmt: skip


def test_no_end_is_told_where_none_is_foretold() -> None:
    item = now(290)
    elsewhere = {("lb2", item.reading.pool): 90.0}
    assert "pool_until_spent_seconds" not in told(a_look(Census(fullest=[item])), elsewhere)


def test_the_others_and_what_is_doubtful_are_told_as_sums() -> None:
    census = Census(
        other_pools=9, other_held=70, other_occupancy=0.25, unreadable_hosts=1, unreadable_namespaces=2,
        doubtful={Presence.SILENT: 3, Presence.BLIND: 0},
    )  # fmt: skip
    families = told(a_look(census))
    values = {name: [sample.value for sample in family.samples] for name, family in families.items()}
    assert values == {
        "pools_told": [1],
        "pools_age_seconds": [4],
        "other_pools": [9],
        "other_pools_held_ports": [70],
        "other_pools_occupancy_max_ratio": [0.25],
        "doubtful_pools": [3, 0],
        "unreadable_hosts": [1],
        "unreadable_namespaces": [2],
    }


def test_while_the_look_is_not_done_nothing_passes_for_calm() -> None:
    for look in (None, Look(Census(), NOON_MS, 0.0, is_done=False)):
        families = told(look)
        assert {name: family.samples[0].value for name, family in families.items()} == {"pools_told": 0}

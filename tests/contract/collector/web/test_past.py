"""Drift and near misses."""

import pytest

from collector.fleet.looks import Looks
from collector.trends.peaks import Peak
from collector.trends.rank import Named
from collector.web.past import near_miss
from shared.ports import PortRange
from tests.browsing import page_of
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_host_with_fewer_ports_than_its_role_drifts(collector: Collecting) -> None:
    assert "Every host is like its role" in await page_of(collector, path="/drift")
    for host in ("a", "b", "c"):
        await collector.push(a_snapshot(host=host))
    await collector.push(a_snapshot(host="odd", namespaces=[a_namespace(ports=PortRange(40_000, 40_099))]))
    page = await page_of(collector, path="/drift")
    for shown in ("odd", "40000–40099", "40000–40299"):
        assert shown in page


@pytest.mark.parametrize(
    ("path", "claim"),
    [("/drift", "Every host is like its role"), ("/rollout", "No host lags"), ("/", "No pool is in use")],
)
async def test_before_every_host_was_looked_at_nothing_is_claimed(collector: Collecting, path: str, claim: str) -> None:
    await collector.push(a_snapshot())
    assert claim in await page_of(collector, path=path)
    looks = Looks(patience_s=0)
    object.__setattr__(collector.services, "looks", looks)
    page = await page_of(collector, path=path)
    assert "Unknown yet" in page
    assert claim not in page
    await looks.close()


async def test_near_misses_are_listed_by_week(collector: Collecting) -> None:
    assert (await page_of(collector, path="/near-misses")).count("Nothing was recorded") == 5
    await collector.push(a_snapshot(a_reading(255)))
    collector.clock.turn(3600)
    await collector.compact()
    page = await page_of(collector, path="/near-misses")
    assert "127.0.0.1 -&gt; 127.0.0.1:9001" in page


def test_a_peak_is_never_rounded_up_to_full() -> None:
    row = near_miss(Named("lb1", "edge", a_pool(), Peak(1, 0.9999, NOON_MS)))
    assert (row["percent"], row["hour_ms"]) == (99.9, NOON_MS)

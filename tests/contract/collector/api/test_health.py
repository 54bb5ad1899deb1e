"""/healthz, /readyz, /metrics: open to whoever watches this machine."""

import asyncio

from aiohttp import ClientSession

from collector.fleet.looks import Looks
from collector.storage.database import Database
from shared.model import Remainder
from tests.builders import a_namespace, a_reading, a_snapshot
from tests.collecting import Collecting, collecting
from tests.promtool import judging, promtool

POOL = '{host="lb1",kind="connect",local_ip="127.0.0.1",netns="host",peer_ip="127.0.0.1",peer_port="9001",role="edge"}'


async def plain(collector: Collecting, path: str, **headers: str) -> tuple[int, str]:
    async with ClientSession() as stranger, stranger.get(f"{collector.url}{path}", headers=headers) as response:
        return response.status, await response.text()


async def test_none_of_them_asks_for_a_token(collector: Collecting) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await plain(collector, path))[0] == 200


async def test_without_its_database_it_is_alive_but_not_ready(sqlite: Database) -> None:
    async with collecting(sqlite) as collector:
        assert sqlite.location.file
        for file in sqlite.location.file.parent.glob("history.db*"):
            file.write_bytes(b"gone" * 1000)
        await sqlite._reader.dispose()  # New connections then see the broken file.
        assert (await plain(collector, "/healthz"))[0] == 200
        status, text = await plain(collector, "/readyz")
        assert status == 503
        assert "history.db" not in text
        for file in sqlite.location.file.parent.glob("history.db*"):
            file.unlink()


async def test_the_series_tell_what_is_stored_and_what_was_asked(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    await collector.refused("/v1/hosts/lb9")
    _, text = await plain(collector, "/metrics")
    for line in (
        'portgauge_collector_hosts{state="reporting"} 1.0',
        'portgauge_collector_alerts{severity="page",state="firing"} 1.0',
        'portgauge_collector_notices_owed{channel="log"} 1.0',
        'portgauge_collector_snapshots_total{result="accepted"} 1.0',
        'portgauge_collector_http_requests_total{method="GET",route="/v1/hosts/{host}",status="404"} 1.0',
    ):
        assert line in text


async def test_the_fullest_pools_are_told_and_the_rest_as_sums(collector: Collecting) -> None:
    rest = a_namespace(remainder=Remainder(pools=7, held=40, max_held=15))
    await collector.push(a_snapshot(a_reading(290), namespaces=[rest]))
    _, text = await plain(collector, "/metrics")
    for line in (
        f"portgauge_collector_pool_held_ports{POOL} 290.0",
        f"portgauge_collector_pool_capacity_ports{POOL} 300.0",
        f"portgauge_collector_pool_headroom_min_ports{POOL} 10.0",
        f"portgauge_collector_pool_headroom_max_ports{POOL} 10.0",
        "portgauge_collector_pools_told 1.0",
        "portgauge_collector_other_pools 7.0",
        "portgauge_collector_other_pools_held_ports 40.0",
        "portgauge_collector_other_pools_occupancy_max_ratio 0.05",
    ):
        assert line in text


async def test_pools_are_told_to_who_may_read_them_elsewhere(db: Database) -> None:
    """/v1/pools asks for a token: what it tells must not stand open beside it."""
    async with collecting(db, is_local=False) as collector:
        await collector.push(a_snapshot(a_reading(290)))
        _, text = await plain(collector, "/metrics")
        assert "portgauge_collector_pools_told 0.0" in text
        assert "127.0.0.1" not in text
        _, text = await plain(collector, "/metrics", Authorization=f"Bearer {collector.tokens['read']}")
        assert f"portgauge_collector_pool_held_ports{POOL} 290.0" in text


async def test_a_token_that_does_not_count_is_refused_rather_than_told_less(collector: Collecting) -> None:
    """A scrape that fails is seen; one that lacks the pools is not."""
    assert (await plain(collector, "/metrics", Authorization="Bearer nonsense"))[0] == 401
    assert (await plain(collector, "/metrics", Authorization=f"Bearer {collector.tokens['push']}"))[0] == 403


async def test_who_asks_through_a_proxy_may_come_from_anywhere(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    for header in ("X-Forwarded-For", "Forwarded"):
        _, text = await plain(collector, "/metrics", **{header: "for=192.0.2.7"})
        assert "portgauge_collector_pools_told 0.0" in text


async def test_while_the_look_at_the_fleet_is_not_done_no_pool_is_told(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    looks = Looks(scrape_patience_s=0)
    object.__setattr__(collector.services, "looks", looks)  # One that nobody waits for.
    _, text = await plain(collector, "/metrics")
    assert "portgauge_collector_pools_told 0.0" in text
    assert not any(name in text for name in ("pool_held_ports", "other_pools", "doubtful_pools"))


async def test_paths_nobody_serves_make_one_series(collector: Collecting) -> None:
    for number in range(5):
        await plain(collector, f"/scan/{number}")
    _, text = await plain(collector, "/metrics")
    assert 'portgauge_collector_http_requests_total{method="GET",route="other",status="404"} 5.0' in text


async def test_the_room_that_history_takes_is_told(collector: Collecting) -> None:
    _, text = await plain(collector, "/metrics")
    [used] = [line for line in text.splitlines() if line.startswith('portgauge_collector_database_bytes{use="used"}')]
    assert float(used.rpartition(" ")[2]) > 50_000
    assert "portgauge_collector_chunks_set_aside 0.0" in text


@judging
async def test_promtool_finds_nothing_to_complain_about(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    await collector.compact()
    _, text = await plain(collector, "/metrics")
    assert "portgauge_collector_pool_held_ports{" in text

    done = await asyncio.to_thread(promtool, "check", "metrics", told=text)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")

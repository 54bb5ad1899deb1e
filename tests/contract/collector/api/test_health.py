"""/healthz, /readyz, /metrics: open to whoever watches this machine."""

import asyncio
import shutil
from asyncio.subprocess import PIPE, STDOUT

import pytest
from aiohttp import ClientSession

from collector.storage.database import Database
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting, collecting

PROMTOOL = shutil.which("promtool")


async def plain(collector: Collecting, path: str) -> tuple[int, str]:
    async with ClientSession() as stranger, stranger.get(f"{collector.url}{path}") as response:
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


async def test_promtool_finds_nothing_to_complain_about(collector: Collecting) -> None:
    if not PROMTOOL:
        pytest.skip("no promtool here: apt-get install prometheus")
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    await collector.compact()
    _, text = await plain(collector, "/metrics")

    judge = await asyncio.create_subprocess_exec(PROMTOOL, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    said, _ = await judge.communicate(text.encode())

    assert (judge.returncode, said.decode()) == (0, "")

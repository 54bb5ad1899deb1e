"""How long page and scrape take with many hosts, and what a report waits meanwhile.

    python -m benchmarks.fleet_page [--hosts 10000] [--pools 30] [--write]

Each view is asked for by somebody who comes first, so that nothing of the fleet is known from a look before, and then
four times more. Reports of one host go on being pushed, one after the other.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from aiohttp import ClientSession, CookieJar

from benchmarks.document import measured_by, write_section
from collector.fleet.looks import Looks
from collector.storage.database import database
from collector.storage.location import locate
from collector.storage.schema import migrate
from shared.model import Reading
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting, collecting

AT_ONCE = 100
BAR_S = 1.0
VIEWS = (
    "/", "/?peer=127.0.0.1:9005", "/hosts", "/host?host=lb7", "/backend?peer=127.0.0.1:9005", "/history", "/alerts",
    "/drift", "/rollout", "/near-misses", "/plan", "/metrics",
)  # fmt: skip


def readings_of(host: int, pools: int) -> Sequence[Reading]:
    """Mostly calm, no two hosts alike."""
    return [a_reading((host * 7 + pool * 13) % 280 + 1, pool=a_pool(9000 + pool)) for pool in range(pools)]


async def fill(fleet: Collecting, hosts: int, pools: int) -> None:
    """Every host reports once."""
    for start in range(0, hosts, AT_ONCE):
        some = range(start, min(hosts, start + AT_ONCE))
        pushes = (fleet.push(a_snapshot(*readings_of(host, pools), host=f"lb{host}")) for host in some)
        await asyncio.gather(*pushes)


async def load_s(person: ClientSession, url: str) -> float:
    """Seconds until the whole page is here."""
    began_s = time.monotonic()
    async with person.get(url) as response:
        await response.read()
        assert response.status == 200, response.status  # noqa: S101 - a refusal is no measurement
    return time.monotonic() - began_s


@asynccontextmanager
async def reporting(fleet: Collecting, pools: int) -> AsyncIterator[list[float]]:
    """One host's reports go on while the block runs; gives how long each took to be acknowledged."""
    took_s: list[float] = []

    async def report() -> None:
        for seq in count(2):
            snapshot = a_snapshot(*readings_of(0, pools), host="lb0", seq=seq)
            began_s = time.monotonic()
            await fleet.push(snapshot)
            took_s.append(time.monotonic() - began_s)

    task = asyncio.create_task(report())
    try:
        yield took_s
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def measure(hosts: int, pools: int) -> str:
    """Fill, load each view some times: a row a view."""
    rows = [
        f"{hosts:,} hosts of {pools} pools, on SQLite; {os.getloadavg()[0]:.1f} others wanted a CPU before.",
        "",
        "| view | first, s | its CPU, s | then at most, s |",
        "| --- | --: | --: | --: |",
    ]
    firsts = []
    with tempfile.TemporaryDirectory() as place:
        location = locate(str(Path(place) / "history.db"))
        await asyncio.to_thread(asyncio.run, migrate(location))
        async with database(location) as db, collecting(db) as fleet:
            await fill(fleet, hosts, pools)
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as person, reporting(fleet, pools) as pushes:
                await load_s(person, f"{fleet.url}/alerts?login={fleet.tokens['read']}")
                for path in VIEWS:
                    await fleet.services.looks.close()  # What is still under way for the view before is none of this.
                    # As a collector has them; those of tests look anew each time.
                    object.__setattr__(fleet.services, "looks", Looks())
                    cpu_s = time.process_time()
                    times = [await load_s(person, f"{fleet.url}{path}")]
                    cpu_s = time.process_time() - cpu_s
                    times += [await load_s(person, f"{fleet.url}{path}") for _ in range(4)]
                    firsts.append(times[0])
                    rows.append(f"| `{path}` | {times[0]:.2f} | {cpu_s:.2f} | {max(times[1:]):.2f} |")
    pushes.sort()
    middle, worst = (1e3 * pushes[place] for place in (len(pushes) // 2, -1))
    verdict = "met" if max(firsts) < BAR_S else "missed"
    return "\n".join(
        [
            *rows,
            "",
            f"- a report pushed meanwhile: {middle:.0f} ms (p50), {worst:.0f} ms (worst)",
            f"- {verdict} (bar: each view within {BAR_S:g} s)",
        ]
    )


def main() -> None:
    """Measure, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--pools", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.hosts, asked.pools))
    print(found)
    if asked.write:
        write_section("fleet page", f"{measured_by('benchmarks.fleet_page')} {found}")


if __name__ == "__main__":
    main()

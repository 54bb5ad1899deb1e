"""How long page and scrape take with many hosts: `python -m benchmarks.fleet_page [--hosts 10000] [--pools 30]`."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession, CookieJar

from collector.fleet.looks import Looks
from collector.storage.database import database
from collector.storage.location import locate
from collector.storage.schema import migrate
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting, collecting

AT_ONCE = 100


async def fill(fleet: Collecting, hosts: int, pools: int) -> None:
    """Every host reports once."""
    readings = [a_reading(number + 1, pool=a_pool(9000 + number)) for number in range(pools)]
    for start in range(0, hosts, AT_ONCE):
        names = (f"lb{number}" for number in range(start, min(hosts, start + AT_ONCE)))
        await asyncio.gather(*(fleet.push(a_snapshot(*readings, host=name)) for name in names))


async def load_s(person: ClientSession, url: str) -> float:
    """Seconds until the whole page is here."""
    began_s = time.monotonic()
    async with person.get(url) as response:
        await response.read()
        assert response.status == 200, response.status  # noqa: S101 - a refusal is no measurement
    return time.monotonic() - began_s


async def main(hosts: int, pools: int) -> None:
    """Fill, load each view some times, print the first and the slowest of the others."""
    with tempfile.TemporaryDirectory() as place:
        location = locate(str(Path(place) / "history.db"))
        await migrate(location)
        async with database(location) as db, collecting(db) as fleet:
            await fill(fleet, hosts, pools)
            object.__setattr__(fleet.services, "looks", Looks())  # As a collector has them; tests look anew each time.
            jar = CookieJar(unsafe=True)
            async with ClientSession(cookie_jar=jar) as person:
                await load_s(person, f"{fleet.url}/alerts?login={fleet.tokens['read']}")
                for path in ("/", "/history", "/hosts", "/?peer=127.0.0.1:9005", "/host?host=lb7", "/metrics"):
                    times = [await load_s(person, f"{fleet.url}{path}") for _ in range(5)]
                    print(f"{path:<24} first {times[0]:.2f} s, then at most {max(times[1:]):.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--pools", type=int, default=30)
    asked = parser.parse_args()
    asyncio.run(main(asked.hosts, asked.pools))

"""What a PostgreSQL driver costs the collector: CPU of this process for the statements that ingest lives on.

    python -m benchmarks.drivers            # a cluster of its own, both drivers in turn, medians

Both go through SQLAlchemy, as the collector uses its driver. The other one: pip install psycopg[binary].
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.postgres import Cluster, cluster

DRIVERS = ("asyncpg", "psycopg")
ROUNDS, REPEATS, BATCH = 7, 60, 25
BODY = bytes(range(250)) * 6
_MAKE = "CREATE TABLE log (id bigserial PRIMARY KEY, host bigint, seq bigint, body bytea)"
_APPEND = text(
    "INSERT INTO log (host, seq, body) SELECT * FROM unnest(CAST(:hosts AS bigint[]), CAST(:seqs AS bigint[]),"
    " CAST(:bodies AS bytea[])) RETURNING id"
)
_PAGE = text("SELECT id, host, seq, body FROM log WHERE id > :after ORDER BY id LIMIT 32")
_POINT = text("SELECT id, seq FROM log WHERE id = :id")

Question = Callable[[AsyncConnection], Awaitable[object]]


async def append(connection: AsyncConnection) -> object:
    """25 bodies of 1.5 kB, and their ids."""
    values = {"hosts": list(range(BATCH)), "seqs": list(range(BATCH)), "bodies": [BODY] * BATCH}
    return (await connection.execute(_APPEND, values)).all()


async def page(connection: AsyncConnection) -> object:
    """32 bodies read back."""
    return (await connection.execute(_PAGE, {"after": 0})).all()


async def point(connection: AsyncConnection) -> object:
    """One row by its key."""
    return (await connection.execute(_POINT, {"id": 7})).one_or_none()


QUESTIONS: dict[str, Question] = {"append 25 bodies": append, "read 32 bodies": page, "one row by key": point}


async def cost_us(url: URL, question: Question) -> float:
    """CPU microseconds of this process for one question in a transaction of its own."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await question(connection)
        began = time.process_time()
        for _ in range(REPEATS):
            async with engine.begin() as connection:
                await question(connection)
        return (time.process_time() - began) / REPEATS * 1e6
    finally:
        await engine.dispose()


def measure(server: Cluster) -> list[list[str]]:
    """A row a question: the median of interleaved rounds for each driver."""
    rows = []
    for name, question in QUESTIONS.items():
        costs: dict[str, list[float]] = {driver: [] for driver in DRIVERS}
        for _ in range(ROUNDS):
            for driver in DRIVERS:
                url = make_url(server.url()).set(drivername=f"postgresql+{driver}")
                costs[driver].append(asyncio.run(cost_us(url, question)))
        rows.append([name, *(f"{statistics.median(costs[driver]):,.0f}" for driver in DRIVERS)])
    return rows


def main() -> None:
    """Measure and print."""
    with cluster() as server:
        server.sql(_MAKE)
        print(f"{'CPU µs':20} {DRIVERS[0]:>10} {DRIVERS[1]:>10}")
        for name, *costs in measure(server):
            print(f"{name:20} {costs[0]:>10} {costs[1]:>10}")


if __name__ == "__main__":
    main()

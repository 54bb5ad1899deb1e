"""Damaged bodies and absurd questions at a running collector: `python -m tests.fuzz --cases 100000 --seed 5`.

The collector is a process of its own, as people run it. Each is answered with 2xx or 4xx, whatever it is, and costs no
memory that stays. A seed repeats a run.
"""

import argparse
import asyncio
import gzip
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgpack
import zstandard
from aiohttp import ClientSession

from collector.api.operation import Operation
from collector.api.routes import OPERATIONS
from shared.limits import MAX_BODY_BYTES, MAX_LABELS, MAX_NAME_CHARS, MAX_POOLS
from shared.wire import encode
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Client
from tests.collector_process import a_token, migrated, serving
from tests.damage import LARGE, ODD, SEEDS, damaged

AT_A_TIME = 8
ASKED = {one.path: one for one in OPERATIONS if one.method == "GET" and one.path.startswith("/v1/")}
KEYS = (*sorted({parameter.name for one in ASKED.values() for parameter in one.query}), "local_ip", "window", "no", "ü")
VALUES = (
    "",
    "-1",
    "0",
    "1e999",
    "nan",
    "9" * 40,
    "\0",
    "lb1",
    "::1",
    "%",
    "[",
    "raw",
    "connect",
    "٣",
    "\U0001f4a3",
    "a" * 2000,
)


@dataclass(slots=True)
class Told:
    """What the collector answered: how many of each status, and the first few that must not be."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Told") -> "Told":
        return Told(self.statuses + other.statuses, self.wrong + other.wrong)

    def note(self, status: int, what: str) -> None:
        self.statuses[status] += 1
        if not (200 <= status < 300 or 400 <= status < 500) and len(self.wrong) < 10:
            self.wrong.append(f"{status}: {what}")


async def fuzzed(collector: Client, cases: int, seed: int) -> Told:
    """Send so many, some at a time: nine bodies, then one question."""
    told, chance, left = Told(), random.Random(seed), iter(range(cases))

    async def send() -> None:
        for number in left:
            if number % 10 == 9:
                await _ask(collector, chance, told)
            else:
                await _push(collector, chance, told)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_A_TIME):
            tasks.create_task(send())
    return told


async def _push(collector: Client, chance: random.Random, told: Told) -> None:
    body, headers = a_body(chance), dict[str, str]()
    if chance.random() < 0.02:
        headers["Content_Encoding"], body = chance.choice(BOMBS)
    elif chance.random() < 0.1:
        headers["Content_Encoding"] = chance.choice(("gzip", "zstd", "br", "deflate"))
        body = body if chance.random() < 0.3 else damaged(gzip.compress(body), chance)
    status, _ = await collector.post(body, **headers)
    told.note(status, f"push {headers} {body[:200].hex()}")


async def _ask(collector: Client, chance: random.Random, told: Told) -> None:
    operation = ASKED[chance.choice(sorted(ASKED))]
    path = operation.path.replace("{host}", quote(chance.choice(VALUES[1:])[:50], safe=""))
    query = {chance.choice(KEYS): chance.choice(VALUES) for _ in range(chance.randint(0, 4))}
    async with collector.asked(path, **query) as response:
        problem = await response.json() if response.content_type == "application/problem+json" else None
        await response.read()
    told.note(response.status, f"{path} {query}")
    if response.status >= 400 and problem is None:
        told.wrong.append(f"{response.status} without a problem document: {path} {query}")
    if response.status == 400 and problem and (wrong := unnamed(problem, operation, query)):
        told.wrong.append(f"{wrong}: {path} {query}")


def unnamed(problem: Mapping[str, Any], operation: Operation, query: Mapping[str, str]) -> str | None:
    """What is wrong with how a refused question is told: it must name a parameter that was given, or is missing."""
    named = problem.get("parameter")
    if problem["type"] != "urn:portgauge:problem:invalid-parameter" or named is None:
        return f"a refused question names no parameter ({problem['detail']})"
    # Whose configuration is asked for has to be said only with a token of no host.
    is_needed = operation.path == "/v1/config"
    missing = {one.name for one in operation.query if one.is_required or is_needed} - query.keys()
    windows = {"from", "to", "step"}  # What is too long together is told of one of them.
    may_be = {name[:64] for name in query} | missing | (windows if windows & query.keys() else set())
    if named not in may_be:
        return f"{named!r} is named, which is none of {sorted(may_be)}"
    return None if problem["detail"].startswith(f"{named}: ") else f"{named!r} is not in {problem['detail']!r}"


def a_body(chance: random.Random) -> bytes:
    """Mostly a damaged good one; else noise, something nested or long, or one with absurd values."""
    kind = chance.randrange(40)
    if kind < len(_HOSTILE):
        return _HOSTILE[kind](chance)
    if chance.random() < 0.005:
        return chance.choice(FULL) if chance.random() < 0.5 else damaged(FULL[0], chance)
    return absurd(chance) if kind < 16 else damaged(chance.choice(SEEDS), chance)


_HOSTILE: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chance: chance.randbytes(chance.randrange(200)),
    lambda chance: bytes([chance.choice((0x91, 0x81))]) * chance.randrange(1, 5_000),
    lambda chance: bytes([chance.choice(ODD)]) + b"\xff\xff\xff\xff" + chance.randbytes(20),
    lambda chance: bytes(min(MAX_BODY_BYTES + 1, 2 ** chance.randrange(10, 24))),
    lambda chance: damaged(LARGE, chance),
)
"""Noise; something nested; a length that is a lie; something long; a large one, damaged."""


def absurd(chance: random.Random) -> bytes:
    """A good body in which one value is none that anybody would send."""
    document = msgpack.unpackb(chance.choice(SEEDS), strict_map_key=False)
    document["seq"] = chance.randrange(2**40)
    if chance.random() < 0.3:
        document["labels"] = chance.choice(LABELS)
    else:
        document[chance.choice(sorted(document))] = chance.choice(_VALUES)
    packed: bytes = msgpack.packb(document)
    return packed


_VALUES: tuple[Any, ...] = (
    *(None, -1, 0, 1, 2**53, 2**63, 1.5, "", "x", "ü\u202e", "x" * 5_000, b"", []),
    *([[]] * 10_000, {}, {"": ""}, {"role": "\0"}, {"role": "lb"}, dict.fromkeys(map(str, range(500)), "x")),
)


LABELS: tuple[Any, ...] = (
    {"": "x"},
    {"x": ""},
    {"role": "edge\n"},
    {"role": "\u202egdE"},
    {"role": "\ud7ff\U0010ffff"},
    {"a" * MAX_NAME_CHARS: "b" * MAX_NAME_CHARS},
    {"a" * (MAX_NAME_CHARS + 1): "b"},
    {"role": "b" * 100_000},
    {f"label-{number}": "x" for number in range(MAX_LABELS)},
    {f"label-{number}": "x" for number in range(MAX_LABELS + 1)},
    {"role": 1},
    {1: "role"},
    {"role": {"role": {"role": "edge"}}},
    {"role": b"edge"},
    {"role": None},
    [["role", "edge"]],
    "role=edge",
)
"""What nobody would call a group of machines, and the most that is allowed."""


def with_pools(count: int) -> bytes:
    """A good body of so many pools, all towards one backend."""
    readings = [
        a_reading(number % 60, pool=replace(a_pool(), local=number.to_bytes(4, "big"))) for number in range(count)
    ]
    return encode(a_snapshot(*readings, host=f"full-{count}"))


FULL = (with_pools(MAX_POOLS), with_pools(MAX_POOLS + 1))
"""The largest host there may be, and one more pool."""


def bombs() -> list[tuple[str, bytes]]:
    """(encoding, body): a few kilobytes that would be megabytes, or millions of objects, to whoever trusted them."""
    nothing, nested = bytes(64 * MAX_BODY_BYTES), b"\x91" * (MAX_BODY_BYTES - 1) + b"\xc0"
    many = b"\xdd\x00\x0f\xff\xf0" + b"\x80" * (MAX_BODY_BYTES - 5)
    zipped = gzip.compress(nothing)
    inside = [("gzip", one) for one in (zipped, gzip.compress(zipped), gzip.compress(nested), gzip.compress(many))]
    return [*inside, ("zstd", zstandard.compress(nothing)), ("zstd", zstandard.compress(nested))]


BOMBS = bombs()


TENTHS = 10
GREW_MB = 16.0
"""What may be resident more after the second half than after the first: as much as it goes up and down anyway."""
WARM = 50_000
"""Shorter runs do not judge it: the largest bodies of every kind come seldom, and the first of each take room."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process has of the system, and of that what no file is behind, in MB."""

    resident_mb: float
    own_mb: float

    def has_grown(self, before: "Memory") -> bool:
        """Whether more is kept than `before`."""
        return self.own_mb - before.own_mb > GREW_MB


def memory_of(pid: int) -> Memory:
    """As it is now."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Memory(*(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")))


async def main(cases: int, seed: int) -> int:
    """Print what came, and what memory the collector took by tenths; the exit status."""
    told, seen = Told(), list[Memory]()
    with tempfile.TemporaryDirectory() as directory:
        database = migrated(Path(directory))
        tokens = {scope: a_token(database, "--scope", scope) for scope in ("push", "read")}
        with serving(database) as running:
            async with ClientSession() as session:
                collector = Client(url=running.url, session=session, tokens=tokens)
                print("   cases   RSS MB   own MB   hosts", flush=True)
                for tenth in range(TENTHS + 1):
                    told += await fuzzed(collector, cases // TENTHS if tenth else 0, seed + tenth)
                    seen.append(memory_of(running.process.pid))
                    hosts = await _hosts(collector)
                    row = f"{seen[-1].resident_mb:8.1f} {seen[-1].own_mb:8.1f} {hosts:7,}"
                    print(f"{tenth * (cases // TENTHS):8,} {row}", flush=True)
            if running.stop(within_s=60) != 0:
                told.wrong.append("the collector did not end well")
        log = running.log.read_text()
    print(f"seed {seed}: {sum(told.statuses.values()):,} cases, {dict(sorted(told.statuses.items()))}")
    if cases >= WARM and seen[-1].has_grown(seen[TENTHS // 2]):
        told.wrong.append("more is resident after the second half than after the first: something is kept")
    if "Traceback" in log:
        told.wrong.append(f"a fault in its log: {log[log.index('Traceback') :][:2000]}")
    for line in told.wrong:
        print(line)
    return 1 if told.wrong else 0


async def _hosts(collector: Client) -> int:
    """How many names it has heard of: damage makes new ones, and each is a host that is watched."""
    async with collector.session.get(f"{collector.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = [line for line in lines if line.startswith("portgauge_collector_hosts{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    raise SystemExit(asyncio.run(main(given.cases, given.seed)))

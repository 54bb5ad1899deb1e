"""What a fleet needs, computed from the figures in docs/performance.md: tables for docs/rollout.md.

    python -m benchmarks.sizing             # print them
    python -m benchmarks.sizing --write     # into docs/rollout.md

Nothing is measured here: cores and memory of a whole collector are as `python -m benchmarks.fleet` found them, the rest
is arithmetic. Pools are those told one by one, each all the time: real fleets have quiet hosts.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.document import DOCUMENT, write_section
from collector.history.tiers import DAY_MS, HOUR_MS, Keep

ROLLOUT = DOCUMENT.with_name("rollout.md")
FLEETS = (100, 1_000, 5_000, 10_000)
POOLS = 50
INTERVAL_S = 10
HOT_S = 1_800
"""The log keeps ten minutes of each host at least, and what waits for its turn to become history."""


class NoFigure(LookupError):
    """docs/performance.md has no such row: the benchmark that writes it changed, or has not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """As measured. CPU seconds of one core for a million readings, bytes a reading."""

    ingest_cpu_s: float
    postgresql_cpu_s: float
    """Of the database, beside what the collector takes."""
    hot_bytes: float
    raw_bytes: float
    minute_bytes: float
    hour_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A collector's process under a paced fleet, as measured: percent of one core, and MB of memory."""

    cpu_percent: float
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Collectors over one PostgreSQL under a paced fleet, as measured: those that take snapshots in, and the leader."""

    takers: tuple[Whole, ...]
    leader: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Of a fleet: readings and bytes a second on the wire, cores for taking them in, GB on the disk by tier."""

    readings_per_s: float
    wire_bytes_per_s: float
    cores: float
    hot_gb: float
    raw_gb: float
    minute_gb: float
    hour_gb: float


def costs_in(page: str) -> Costs:
    """The figures of the page. Raises NoFigure."""
    return Costs(
        ingest_cpu_s=_figure(page, "portgauge, SQLite"),
        postgresql_cpu_s=_figure(page, "portgauge, PostgreSQL", column=2),
        hot_bytes=_figure(page, "hot log, as received"),
        raw_bytes=_figure(page, "raw chunks, 10 minutes each"),
        minute_bytes=_figure(page, "minutes: min, sum, max, …"),
        hour_bytes=_figure(page, "hours: the same"),
    )


def wholes_in(page: str) -> dict[int, Whole]:
    """A whole collector on SQLite, by hosts, of the longest run there is: a short one may have made no history.

    Those of the page's sections `fleet` and `fleet-long`. Raises NoFigure.
    """
    longer = _processes(page, "fleet-long") if "<!-- fleet-long: begin -->" in page else {}
    return {hosts: only for hosts, (only,) in (_processes(page, "fleet") | longer).items()}


def shared_in(page: str) -> dict[int, Shared]:
    """Collectors over PostgreSQL, by hosts: those of the page's section `fleet-postgresql`. Raises NoFigure."""
    found = _processes(page, "fleet-postgresql")
    return {
        hosts: Shared(takers=takers, leader=leader)
        for hosts, (*rest, leader) in found.items()
        if (takers := tuple(rest))
    }


def _processes(page: str, section: str) -> dict[int, list[Whole]]:
    """By hosts, each process that was measured."""
    _, _, rest = page.partition(f"<!-- {section}: begin -->")
    rows = re.findall(
        r"^\| ([\d,]+) \| ([\d.]+%[\d.%+ ]*) \| ([\d,]+ MB[\d,MB+ ]*) \|",
        rest.partition(f"<!-- {section}: end -->")[0],
        re.MULTILINE,
    )
    if not rows:
        raise NoFigure(f"no rows of a paced fleet in the section {section} of {DOCUMENT}")
    return {
        _whole(hosts): [
            Whole(cpu_percent=float(cpu.strip(" %")), memory_mb=_whole(memory.strip(" MB")))
            for cpu, memory in zip(cpus.split("+"), memories.split("+"), strict=True)
        ]
        for hosts, cpus, memories in rows
    }


def need(hosts: int, costs: Costs, keep: Keep) -> Need:
    """Of so many hosts with POOLS pools each, told every INTERVAL_S."""
    pools = hosts * POOLS
    per_s = pools / INTERVAL_S
    return Need(
        readings_per_s=per_s,
        wire_bytes_per_s=per_s * costs.hot_bytes,
        cores=per_s * costs.ingest_cpu_s / 1e6,
        hot_gb=per_s * HOT_S * costs.hot_bytes / 1e9,
        raw_gb=per_s * keep.raw_ms / 1000 * costs.raw_bytes / 1e9,
        minute_gb=pools * keep.minute_ms / 60_000 * costs.minute_bytes / 1e9,
        hour_gb=pools * keep.hour_ms / HOUR_MS * costs.hour_bytes / 1e9,
    )


def table(costs: Costs, wholes: Mapping[int, Whole], keep: Keep) -> Iterator[str]:
    """Lines of Markdown."""
    raw, minutes, hours = keep.raw_ms // HOUR_MS, keep.minute_ms // DAY_MS, keep.hour_ms // DAY_MS
    tiers = f"raw, {raw} h | minutes, {minutes} d | hours, {hours} d"
    yield f"| hosts | readings/s | on the wire | cores, taking in | in all | memory | log | {tiers} | disk in all |"
    yield f"|{'--:|' * 11}"
    for hosts in FLEETS:
        one = need(hosts, costs, keep)
        disk = one.hot_gb + one.raw_gb + one.minute_gb + one.hour_gb
        sizes = " | ".join(_gb(size) for size in (one.hot_gb, one.raw_gb, one.minute_gb, one.hour_gb, disk))
        wire = f"{one.wire_bytes_per_s / 1e6:.2f} MB/s"
        whole = wholes.get(hosts)
        measured = f"{whole.cpu_percent / 100:.2f} | {whole.memory_mb:,} MB" if whole else "– | –"
        yield f"| {hosts:,} | {one.readings_per_s:,.0f} | {wire} | {one.cores:.3f} | {measured} | {sizes} |"


def shared_table(costs: Costs, found: Mapping[int, Shared]) -> Iterator[str]:
    """Lines of Markdown: of collectors over PostgreSQL."""
    leading = "cores, leader | memory, leader | cores in all"
    yield f"| hosts | taking in | cores each | memory each | {leading} | the database, taking in |"
    yield f"|{'--:|' * 8}"
    for hosts, one in found.items():
        most = max(taker.cpu_percent for taker in one.takers)
        memory = max(taker.memory_mb for taker in one.takers)
        cpu_percent = sum(taker.cpu_percent for taker in one.takers) + one.leader.cpu_percent
        database = hosts * POOLS / INTERVAL_S * costs.postgresql_cpu_s / 1e6
        takers = f"{len(one.takers)} | {most / 100:.2f} | {memory:,} MB"
        leader = f"{one.leader.cpu_percent / 100:.2f} | {one.leader.memory_mb:,} MB"
        yield f"| {hosts:,} | {takers} | {leader} | {cpu_percent / 100:.2f} | {database:.2f} |"


def _figure(page: str, row: str, column: int = 1) -> float:
    found = re.search(rf"^\| {re.escape(row)} \|(?: [^|]+ \|){{{column - 1}}} ([\d.]+) \|", page, re.MULTILINE)
    if not found:
        raise NoFigure(f"no row {row!r} in {DOCUMENT}")
    return float(found[1])


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _gb(size: float) -> str:
    return f"{size:,.0f} GB" if size >= 10 else f"{size:.1f} GB"


def main() -> None:
    """Print or write both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into docs/rollout.md")
    arguments = parser.parse_args()
    page = DOCUMENT.read_text(encoding="utf-8")
    costs = costs_in(page)
    sections = {
        "sizing": "\n".join(table(costs, wholes_in(page), Keep())),
        "sizing-postgresql": "\n".join(shared_table(costs, shared_in(page))),
    }
    for name, text in sections.items():
        print(f"{text}\n")
        if arguments.write:
            write_section(name, text, ROLLOUT)


if __name__ == "__main__":
    main()

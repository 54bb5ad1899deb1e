"""What a fleet needs, computed from the figures in docs/performance.md: a table for docs/rollout.md.

    python -m benchmarks.sizing             # print it
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
    hot_bytes: float
    raw_bytes: float
    minute_bytes: float
    hour_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole collector on SQLite under a paced fleet, as measured: percent of one core, and MB of memory."""

    cpu_percent: float
    memory_mb: int


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
        hot_bytes=_figure(page, "hot log, as received"),
        raw_bytes=_figure(page, "raw chunks, 10 minutes each"),
        minute_bytes=_figure(page, "minutes: min, sum, max, …"),
        hour_bytes=_figure(page, "hours: the same"),
    )


def wholes_in(page: str) -> dict[int, Whole]:
    """By hosts, those of the page's section `fleet`. Raises NoFigure."""
    _, _, rest = page.partition("<!-- fleet: begin -->")
    section, _, _ = rest.partition("<!-- fleet: end -->")
    rows = re.findall(r"^\| ([\d,]+) \| ([\d.]+)% \| ([\d,]+) MB \|", section, re.MULTILINE)
    if not rows:
        raise NoFigure(f"no rows of a paced fleet in {DOCUMENT}")
    return {_whole(hosts): Whole(cpu_percent=float(cpu), memory_mb=_whole(memory)) for hosts, cpu, memory in rows}


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


def _figure(page: str, row: str) -> float:
    found = re.search(rf"^\| {re.escape(row)} \| ([\d.]+) \|", page, re.MULTILINE)
    if not found:
        raise NoFigure(f"no row {row!r} in {DOCUMENT}")
    return float(found[1])


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _gb(size: float) -> str:
    return f"{size:,.0f} GB" if size >= 10 else f"{size:.1f} GB"


def main() -> None:
    """Print it or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into docs/rollout.md")
    arguments = parser.parse_args()
    page = DOCUMENT.read_text(encoding="utf-8")
    text = "\n".join(table(costs_in(page), wholes_in(page), Keep()))
    print(text)
    if arguments.write:
        write_section("sizing", text, ROLLOUT)


if __name__ == "__main__":
    main()

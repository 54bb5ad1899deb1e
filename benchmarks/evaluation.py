"""What it costs to evaluate every rule over a fleet: per snapshot as it comes, and per second for the fleet as a whole.

    python -m benchmarks.evaluation [--hosts 10000] [--pools 50] [--hot 0.01 …] [--warm 0.02 …] [--write]

Nothing is stored: it is the decision alone, fed with bodies as they were received. CPU is this process's own. The
fleet reports every ten seconds, so a second brings a tenth of it, and one tick; before each tick a host comes in, and
the fleet as a whole is looked at again. Warm pools are at 30 %: a forecast is told of them.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.document import measured_by, write_section
from collector.alerts.builtin import BUILT_IN
from collector.alerts.glance import glance, picked
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from collector.forecast.foresight import Foresight
from shared import wire
from shared.model import Kind, Namespace, Pool, Reading, Remainder, Snapshot
from shared.ports import PortRange
from shared.tcp import State

INTERVAL_MS = 10_000
VARIANTS = 20
ROLES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU for one report of each host, and for one tick; how many hosts a glance was enough for."""

    reports_s: float
    tick_s: float
    glanced: int

    def per_second(self) -> float:
        """Of a core, for this fleet reporting every INTERVAL_MS."""
        return self.reports_s * 1_000 / INTERVAL_MS + self.tick_s


def a_body(number: int, pools: int, hot: float, warm: float) -> bytes:
    """One host's report; of all its pools, over all variants, the share `hot` is at 90 %, `warm` at 30 %."""
    readings = tuple(_reading(number * pools + index, hot, warm) for index in range(pools))
    namespace = Namespace(
        name="host",
        inode=1,
        port_range=PortRange(32_768, 60_999),
        reserved=0,
        blocked=0,
        settings={"tcp_tw_reuse": 2},
        remainder=Remainder(),
    )
    return wire.encode(
        Snapshot(
            host="lb",
            boot_id="boot",
            seq=1,
            taken_at_ms=0,
            agent_version="bench",
            interval_ms=INTERVAL_MS,
            labels={},
            namespaces=(namespace,),
            readings=readings,
        )
    )


def _reading(number: int, hot: float, warm: float) -> Reading:
    capacity = 28_232
    held = number * 37 % (capacity // 5)
    for share, level in ((warm, 0.3), (hot, 0.9)):
        held = int(capacity * level) if share > 0 and number % round(1 / share) == 0 else held
    pool = Pool("host", Kind.CONNECT, bytes((10, 0, 0, 1)), bytes((10, 9, number >> 8 & 255, number & 255)), 8080)
    return Reading(pool, held, capacity, capacity - held, capacity - held, {State.ESTABLISHED: held})


def measure(hosts: int, pools: int, hot: float, warm: float) -> Cost:
    """One report of each host, after two that warm the watch up, and a tick."""
    bodies = [a_body(number, pools, hot, warm) for number in range(VARIANTS)]
    places = [Place(host=f"lb{number}", role=f"role{number % ROLES}") for number in range(hosts)]
    foresight = Foresight()
    watch = Watch(BUILT_IN, (), foresight, foresight.note)
    for round_number in range(3):
        now_ms, began = (round_number + 1) * INTERVAL_MS, time.process_time()
        glanced = report(watch, places, bodies, now_ms)
        reported = time.process_time()
        report(watch, [Place(host=f"newcomer{round_number}", role="role0")], bodies, now_ms)
        watch.tick(now_ms, {})
    return Cost(reported - began, time.process_time() - reported, glanced)


def report(watch: Watch, places: Sequence[Place], bodies: Sequence[bytes], now_ms: int) -> int:
    """Every host once, from its body as the log has it. Answers for how many a glance was enough."""
    glanced = 0
    for number, place in enumerate(places):
        body = bodies[number % len(bodies)]
        seen = glance(body)
        seen = replace(seen, place=place) if seen else None
        if seen and watch.is_calm(seen, now_ms, host_id=number):
            glanced += 1
            continue
        rows = watch.rows(seen) if seen else None
        part = picked(seen, rows) if seen and rows is not None else None
        snapshot = replace(part or wire.decode(body), host=place.host)
        watch.take(place, snapshot, INTERVAL_MS, now_ms, host_id=number, pools=seen.pools if seen and part else None)
    return glanced


def main() -> int:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--pools", type=int, default=50)
    parser.add_argument(
        "--hot", type=float, nargs="*", default=[0.0, 0.0, 0.001, 0.01, 0.1], help="shares of pools at 90 %%"
    )
    parser.add_argument(
        "--warm", type=float, nargs="*", default=[0.0, 0.02, 0.02, 0.02, 0.02], help="beside them, of pools at 30 %%"
    )
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    args = parser.parse_args()
    lines = [
        f"{args.hosts:,} hosts of {args.pools} pools, {len(BUILT_IN)} rules, a report each {INTERVAL_MS // 1000} s.",
        "",
        "| pools at 90 % | at 30 % | hosts ruled out at a glance | a report | a look at the fleet | of a core |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    for hot, warm in zip(args.hot, args.warm, strict=True):
        cost = measure(args.hosts, args.pools, hot, warm)
        lines.append(
            f"| {hot:.1%} | {warm:.0%} | {cost.glanced / args.hosts:.0%} | {cost.reports_s * 1e6 / args.hosts:.0f} µs"
            f" | {cost.tick_s * 1e3:.0f} ms | {cost.per_second():.1%} |"
        )
    text = "\n".join(lines)
    print(text)
    if args.write:
        write_section("evaluation", f"{measured_by('benchmarks.evaluation')} {text}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

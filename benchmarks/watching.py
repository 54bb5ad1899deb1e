"""What it costs to watch connect() failures: for everybody else, and for us. `python -m benchmarks.watching` (as root).

Three figures: a system call of any process with no tracepoint open, with ours, and with a syscall tracepoint, which we
do without for this reason; a drain while nothing fails; reading one failure.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from subprocess import PIPE

from agent.failures import EVENT, FILTER
from agent.perf.layout import parse_format
from agent.perf.ring import Ring
from agent.perf.tracefs import event_format
from agent.perf.watcher import FailureWatcher
from tests.netns import fresh_netns

CALLS = 5_000
ROUNDS = 200
FAILURES = 1_000


def ns_a_call() -> float:
    """The quickest of many short runs of getppid(2), in nanoseconds with Python's own share."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        for _ in range(CALLS):
            os.getppid()
        best = min(best, (time.perf_counter_ns() - started) / CALLS)
    return best


def ns_a_call_with(event: str, expression: str) -> float:
    """The same while a tracepoint is open on every CPU."""
    layout = parse_format(event_format(event), {})
    rings = [Ring(layout.event_id, cpu, expression) for cpu in range(os.cpu_count() or 1)]
    try:
        return ns_a_call()
    finally:
        for ring in rings:
            ring.close()


def us_of(action: Callable[[], object], rounds: int) -> float:
    """Median CPU time of one call, in microseconds."""
    taken = []
    for _ in range(rounds):
        started = time.thread_time_ns()
        action()
        taken.append((time.thread_time_ns() - started) / 1000)
    return median(taken)


def us_a_failure(watcher: FailureWatcher) -> float:
    """CPU time to read one failure of another process among many, in microseconds."""
    steps = json.dumps([["connect", "127.0.0.1", 9001, 2 + FAILURES]])
    with fresh_netns() as netns:
        netns.set_sysctl("ipv4/ip_local_port_range", "40000 40001")
        watcher.drain()
        spender = netns.popen([sys.executable, "-m", "tests.spender", steps], stdin=PIPE, stdout=PIPE, text=True)
        if not (spender.stdout and spender.stdout.readline()):
            raise RuntimeError("the spender said nothing")
        return us_of(watcher.drain, 1) / FAILURES


def main() -> None:
    """Measure and print."""
    print(f"a system call, nothing open              {ns_a_call():8.0f} ns")
    print(f"  … with {EVENT} open  {ns_a_call_with(EVENT, FILTER):8.0f} ns")
    print(f"  … with syscalls/sys_exit_connect open  {ns_a_call_with('syscalls/sys_exit_connect', 'ret==-99'):8.0f} ns")
    watcher = FailureWatcher.start()
    try:
        print(f"a drain while nothing fails              {us_of(watcher.drain, 500):8.1f} µs")
        print(f"reading one failure                      {us_a_failure(watcher):8.1f} µs")
    finally:
        watcher.close()


if __name__ == "__main__":
    main()

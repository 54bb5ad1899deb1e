"""What `check` says: a monitoring plugin's status, first line and performance data. Pure.

Conventions: https://www.monitoring-plugins.org/doc/guidelines.html (exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one
line for the pager; `'label'=value;warn;crit;min;max`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from agent.render import KNEE, headroom_text, namespace_line, states_text, unreadable_text
from agent.threshold import Threshold
from shared.model import Namespace, Reading, Unreadable

MOST_PERFDATA = 10
MOST_LINES = 10
LISTING, DIAGNOSIS = 2, 3
"""From how many -v on pools that are OK are listed too, and how the sample was taken is told."""


class Status(IntEnum):
    """The exit status a scheduler reads."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status and everything printed."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Occupancies (0.0 to 1.0) that count."""

    warning: Threshold
    critical: Threshold


def judge(
    readings: Sequence[Reading],
    thresholds: Thresholds,
    *,
    own: str,
    unreadable: Sequence[Unreadable] = (),
    verbosity: int = 0,
) -> Verdict:
    """Judge the readings, of which the worst decides.

    Pools of the namespace `own` are named without it. What could not be read is never taken for calm: where nothing
    else is wrong, it makes the verdict UNKNOWN. `verbosity` 1: the first line has the states of its pool; 2: the
    fullest pools are listed whatever their status.
    """
    ranked = sorted(readings, key=lambda one: (-_status(one, thresholds), -one.occupancy, one.pool))
    statuses = [_status(one, thresholds) for one in ranked]
    worst = statuses[0] if statuses else Status.OK
    if worst is Status.OK and unreadable:
        worst = Status.UNKNOWN
    first = f"{worst.name} - {_first_words(worst, ranked, own, unreadable)}"
    if verbosity and ranked and worst is not Status.UNKNOWN and ranked[0].states:
        first += f" ({states_text(ranked[0].states)})"
    alike = sum(status == worst for status in statuses)
    if worst in (Status.WARNING, Status.CRITICAL) and alike > 1:
        first += f", and {alike - 1} more pools {worst.name.lower()}"
    perfdata = " ".join(_perfdata(one, thresholds, own) for one in ranked[:MOST_PERFDATA])
    more = [
        f"{status.name} - {sentence(one, own)}"
        for one, status in zip(ranked[1:MOST_LINES], statuses[1:MOST_LINES], strict=True)
        if status is not Status.OK or verbosity >= LISTING
    ]
    more += [unreadable_text(one) for one in unreadable]
    return Verdict(worst, "\n".join([f"{first} | {perfdata}" if perfdata else first, *more]))


def configuration(namespaces: Sequence[Namespace], thresholds: Thresholds) -> list[str]:
    """What was judged by what, in lines: for whoever wonders about a verdict."""
    settings = [
        f"  {name} = {value}" if number else f"settings of namespace {one.name}:\n  {name} = {value}"
        for one in namespaces
        for number, (name, value) in enumerate(sorted(one.settings.items()))
    ]
    alerting = f"a pool warns at {thresholds.warning}, alarms at {thresholds.critical} of what it can lend"
    return [alerting, *map(namespace_line, namespaces), *settings]


def _first_words(worst: Status, ranked: Sequence[Reading], own: str, unreadable: Sequence[Unreadable]) -> str:
    if worst is Status.UNKNOWN:
        return f"no pool that could be read is near its limit, but {unreadable_text(unreadable[0])}"
    return sentence(ranked[0], own) if ranked else "no outgoing connection uses a port of the range"


def sentence(reading: Reading, own: str) -> str:
    """`127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left`, then `, held by haproxy.service, pid 1312`.

    The namespace stands before it if it is not `own`. A bar in a name would begin the performance data.
    """
    left = headroom_text(reading.headroom_min, reading.headroom_max)
    share = f"{math.floor(reading.occupancy * 1000) / 10:g} %"
    held = f"holds {reading.held:,} of {reading.capacity:,} ports ({share}), {left} left"
    by = f", held by {reading.owner.replace('|', '/')}" if reading.owner else ""
    slow = KNEE if reading.knee else ""
    return f"{_whose(reading, own)}{reading.pool} {held}{slow}{by}"


def _whose(reading: Reading, own: str) -> str:
    return "" if reading.pool.netns == own else f"{reading.pool.netns}: "


def _status(reading: Reading, thresholds: Thresholds) -> Status:
    if thresholds.critical.alerts(reading.occupancy):
        return Status.CRITICAL
    return Status.WARNING if thresholds.warning.alerts(reading.occupancy) else Status.OK


def _perfdata(reading: Reading, thresholds: Thresholds, own: str) -> str:
    warning, critical = (one.of_ports(reading.capacity) for one in (thresholds.warning, thresholds.critical))
    label = f"{_whose(reading, own)}{reading.pool}".replace(" -> ", "->").replace("'", "").replace("=", "_")
    return f"'{label}'={reading.held};{warning};{critical};0;{reading.capacity}"

"""What `check` says: a monitoring plugin's status, first line and performance data. Pure.

Conventions: https://www.monitoring-plugins.org/doc/guidelines.html (exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one
line for the pager; `'label'=value;warn;crit;min;max`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from agent.render import headroom_text
from shared.model import Reading

MOST_PERFDATA = 10
MOST_LINES = 10


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


def judge(readings: Sequence[Reading], *, warning: float, critical: float) -> Verdict:
    """Judge the readings, of which the worst decides; thresholds are occupancies (0.0 to 1.0) that already count."""
    if not readings:
        return Verdict(Status.OK, "OK - no outgoing connection uses a port of the range")
    ranked = sorted(readings, key=lambda one: (-one.occupancy, one.pool))
    statuses = [_status(one, warning, critical) for one in ranked]
    first = f"{statuses[0].name} - {sentence(ranked[0])}"
    alike = sum(status == statuses[0] for status in statuses)
    if statuses[0] is not Status.OK and alike > 1:
        first += f", and {alike - 1} more pools {statuses[0].name.lower()}"
    perfdata = " ".join(_perfdata(one, warning, critical) for one in ranked[:MOST_PERFDATA])
    more = [
        f"{status.name} - {sentence(one)}"
        for one, status in zip(ranked[1:MOST_LINES], statuses[1:MOST_LINES], strict=True)
        if status is not Status.OK
    ]
    return Verdict(statuses[0], "\n".join([f"{first} | {perfdata}", *more]))


def sentence(reading: Reading) -> str:
    """`127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left`."""
    left = headroom_text(reading.headroom_min, reading.headroom_max)
    share = f"{math.floor(reading.occupancy * 1000) / 10:g} %"
    return f"{reading.pool} holds {reading.held:,} of {reading.capacity:,} ports ({share}), {left} left"


def _status(reading: Reading, warning: float, critical: float) -> Status:
    if reading.occupancy >= critical:
        return Status.CRITICAL
    return Status.WARNING if reading.occupancy >= warning else Status.OK


def _perfdata(reading: Reading, warning: float, critical: float) -> str:
    """Nagios alerts *above* a threshold, we from it on: hence the last count below."""
    last_calm = [max(0, math.ceil(share * reading.capacity) - 1) for share in (warning, critical)]
    label = str(reading.pool).replace(" -> ", "->").replace("'", "")
    return f"'{label}'={reading.held};{last_calm[0]};{last_calm[1]};0;{reading.capacity}"

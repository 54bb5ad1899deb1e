"""A drill's timeline as a person reads it, and as a program does. Pure."""

from dataclasses import asdict
from typing import Any

from agent.drill.timeline import Mark, Timeline

COLUMNS = ("RULE", "SEVERITY", "LEVEL", "PORTS", "COLLECTOR HAD IT", "FIRED", "TOLD")
NEVER = "never"


def table(timeline: Timeline) -> str:
    """A line a rule, seconds after the kernel's crossing; then a line a notice, and the verdict."""
    rows = [COLUMNS, *(_row(timeline, mark) for mark in timeline.marks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_notices(timeline), verdict(timeline)])


def verdict(timeline: Timeline) -> str:
    """One sentence: told in time, or the first step that did not come and the likely reason."""
    why = missing(timeline)
    if why:
        return f"NOT TOLD IN TIME: {why}"
    return f"Told within {timeline.within_s:g} s and resolved: {timeline.peer} on {timeline.host}."


def missing(timeline: Timeline) -> str:
    """The first step that did not come, and why that may be; empty where all came in time."""
    host, never = timeline.host, [mark for mark in timeline.marks if mark.fired_ms is None]
    if not timeline.has_reading:
        return (
            f"the collector never had a reading of the pool. No agent runs as {host!r} (see --host), or it does not "
            "look into other network namespaces: `portgauge-agent doctor` says what it needs"
        )
    unseen = [mark for mark in timeline.marks if mark.had_ms is None]
    if unseen:
        return f"no reading of {unseen[0].needed} ports came: the agent samples too seldom, or cannot send"
    if never:
        rule = never[0].rule
        return f"rule {rule!r} did not fire: its hold is longer than --patience, or no collector evaluates (its log)"
    return _untold(timeline)


def _untold(timeline: Timeline) -> str:
    severity = timeline.owed_severity
    told = [one for one in timeline.deliveries if one.severity == severity and one.state == "firing"]
    if not told:
        return f"the {severity} made no notice: no [[channel]] takes it, or a silence hides it (/v1/silences)"
    stuck = [one for one in told if one.at_ms is None]
    if stuck:
        return f"channel {stuck[0].channel!r} did not take the {severity}: {stuck[0].detail or 'not tried yet'}"
    late = [(mark, timeline.late_s(mark)) for mark in timeline.marks if mark.severity == severity]
    for mark, late_s in late:
        if late_s is not None and late_s > timeline.within_s:
            return f"{mark.rule!r} was told {late_s:.1f} s after it was due, {timeline.within_s:g} s are allowed"
    return "" if timeline.is_resolved else "the pool is empty again, and not every channel was told that it is over"


def document(timeline: Timeline) -> dict[str, Any]:
    """For --json: times in ms since the epoch, null for what never came."""
    return {
        "host": timeline.host,
        "peer": timeline.peer,
        "in_time": timeline.is_in_time,
        "missing": missing(timeline) or None,
        "within_s": timeline.within_s,
        "rules": [asdict(mark) | {"told_ms": timeline.told_ms(mark.severity)} for mark in timeline.marks],
        "notices": [asdict(one) for one in timeline.deliveries],
    }


def _row(timeline: Timeline, mark: Mark) -> tuple[str, ...]:
    told_ms = timeline.told_ms(mark.severity)
    times = (_after(mark, mark.had_ms), _after(mark, mark.fired_ms), _after(mark, told_ms))
    return (mark.rule, mark.severity, f"{mark.level:.0%}", str(mark.needed), *times)


def _after(mark: Mark, at_ms: int | None) -> str:
    if at_ms is None or mark.crossed_ms is None:
        return NEVER
    return f"{(at_ms - mark.crossed_ms) / 1000:+.2f} s"


def _notices(timeline: Timeline) -> list[str]:
    begin_ms = next((mark.crossed_ms for mark in timeline.marks if mark.crossed_ms is not None), 0)
    return [
        f"{one.severity} {one.state} → {one.channel}: {one.outcome}"
        + (f", {(one.at_ms - begin_ms) / 1000:.2f} s after the first crossing" if one.at_ms else "")
        for one in timeline.deliveries
    ]

"""The near-miss report, of a day or a week: when it is due, and what it says. Pure.

It is owed like a notice, under a key that names what it is about, so whoever leads when, it is told once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.alerts.notice import Notice
from collector.alerts.rules import PLAN
from collector.alerts.subject import stable_key
from collector.fleet.document import pool_document
from shared.model import Pool

DAILY, WEEKLY = KINDS = ("daily", "weekly")
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
DAYS = {DAILY: 1, WEEKLY: 7}
GRACE_MS = 12 * HOUR_MS
"""A report that could not be made for so long after its time is left out: the next one is nearer."""
FLOOR = 0.5
"""From which peak on a pool came near."""
SHOWN = 10
_MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday of Unix time."""


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a week (from Monday on, UTC), [from_ms, to_ms)."""

    kind: str
    from_ms: int
    to_ms: int

    @property
    def thread(self) -> str:
        """Reports of one kind follow one another."""
        return thread_of(self.kind)

    @property
    def key(self) -> str:
        """The same for ever."""
        return stable_key("digest", self.kind, self.from_ms)


@dataclass(frozen=True, slots=True)
class Near:
    """A pool that came near its end: its highest occupancy, and the hour it was reached in."""

    host: str
    role: str
    pool: Pool
    occupancy: float
    hour_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What history holds of a period: pools that came near, the nearest first, at most `most`; hours it knows."""

    near: Sequence[Near]
    most: int
    hours_known: int


def thread_of(kind: str) -> str:
    """What names all reports of a kind."""
    return stable_key("digest", kind)


def due(kinds: Iterable[str], at_minute: int, now_ms: int) -> list[Period]:
    """Reports whose time has come, `at_minute` of the day (UTC) after their period, and is not long past."""
    found = []
    for kind in kinds:
        span_ms, begin_ms = DAYS[kind] * DAY_MS, _MONDAY_MS + at_minute * MINUTE_MS
        passed_ms = (now_ms - begin_ms) % span_ms
        to_ms = now_ms - passed_ms - at_minute * MINUTE_MS
        if passed_ms <= GRACE_MS:
            found.append(Period(kind, to_ms - span_ms, to_ms))
    return found


def report(period: Period, found: Findings, now_ms: int, link: str = "") -> Notice:
    """What is told; also where nothing came near, since silence would look the same as a report that was lost."""
    document = {
        "key": period.key,
        "alert": period.thread,
        "state": "report",
        "severity": PLAN,
        "cause": f"near misses, {period.kind}",
        "rule": "near-misses",
        "from_ms": period.from_ms,
        "to_ms": period.to_ms,
        "hours": DAYS[period.kind] * 24,
        "hours_known": found.hours_known,
        "pools": len(found.near),
        "items": [_item(one) for one in found.near[:SHOWN]],
        "link": link,
        "at_ms": now_ms,
        "summary": summary_of(period, found),
    }
    lines = [
        str(document["summary"]),
        *map(_line, found.near[:SHOWN]),
        *_doubt(period, found),
        *([link] if link else []),
    ]
    return Notice(period.key, period.thread, document | {"text": "\n".join(lines)})


def summary_of(period: Period, found: Findings) -> str:
    """`Near misses of 2026-11-21: 3 pools were half full or more, the fullest 97.1 %: lb1: 10.0.3.7 -> …`."""
    last_ms = period.to_ms - DAY_MS
    days = _day(period.from_ms) if period.kind == DAILY else f"{_day(period.from_ms)} to {_day(last_ms)}"
    head = f"Near misses of {days} (UTC)"
    if not found.hours_known:
        return f"{head}: unknown, history holds nothing of that time"
    if not found.near:
        return f"{head}: none, no pool was half full"
    first, count = found.near[0], len(found.near)
    more = " or more" if count >= found.most else ""
    who = f"{count:,}{more} pools were" if count > 1 else "one pool was"
    return f"{head}: {who} half full or more, the fullest at {_percent(first.occupancy)} %: {first.host}: {first.pool}"


def _doubt(period: Period, found: Findings) -> list[str]:
    hours = DAYS[period.kind] * 24
    return [] if found.hours_known >= hours else [f"History knows {found.hours_known} of these {hours} hours."]


def _item(one: Near) -> dict[str, object]:
    peak = {"occupancy": one.occupancy, "margin": round(1 - one.occupancy, 6), "hour_ms": one.hour_ms}
    return {"host": one.host, "role": one.role or None, **pool_document(one.pool), **peak}


def _line(one: Near) -> str:
    hour = datetime.fromtimestamp(one.hour_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    role = f" ({one.role})" if one.role else ""
    return f"{_percent(one.occupancy):>5} %  {one.host}{role}  {one.pool}, in the hour of {hour}"


def _percent(share: float) -> str:
    """Rounded down: 100 means that nothing was left."""
    return f"{int(share * 1000 + 1e-6) / 10:g}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")

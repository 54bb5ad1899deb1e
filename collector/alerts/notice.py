"""What a person is told when an alert fires or resolves: one document, one sentence. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.alerts.evaluate import Case
from collector.alerts.step import Told, Transition
from collector.fleet.document import pool_document, reading_document

KEY_CHARS = 32
HOST_NAMESPACE = "host"
"""How agents call the namespace they run in; naming it in every sentence would tell nobody anything."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`key` names this notice however often it is delivered; `document` is what a webhook receives."""

    key: str
    document: Mapping[str, Any]


def compose(host: str, role: str | None, case: Case, transition: Transition) -> Notice | None:
    """What to tell of the transition; None where nobody needs to hear of it."""
    if transition.told is None:
        return None
    alert_key = _key(host, case.rule, *pool_document(case.pool).values())
    key = _key(alert_key, transition.told.value, transition.at_ms)
    document = {
        "key": key,
        "alert": alert_key,
        "state": transition.told.value,
        "severity": case.severity,
        "rule": case.rule,
        "host": host,
        "role": role,
        **pool_document(case.pool),
        **reading_document(case.seen.reading),
        "since_ms": transition.fired_ms,
        "at_ms": transition.at_ms,
        "summary": summarise(host, case, transition.told),
    }
    return Notice(key, document)


def summarise(host: str, case: Case, told: Told) -> str:
    """`CRITICAL lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left`."""
    reading = case.seen.reading
    word = case.severity.upper() if told is Told.FIRING else "RESOLVED"
    most = "at most " if case.seen.is_bound else ""
    ports = f"{most}{reading.held:,} of {reading.capacity:,} ports ({_percent(reading.held, reading.capacity)} %)"
    left = _span(reading.headroom_min, reading.headroom_max)
    netns = "" if case.pool.netns == HOST_NAMESPACE else f" (netns {case.pool.netns})"
    owner = f", held by {reading.owner}" if reading.owner else ""
    return f"{word} {host}: {case.pool} holds {ports}, {left} left{netns}{owner}"


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _percent(held: int, capacity: int) -> str:
    # Rounded down: 100 % means that nothing is left, never nearly nothing.
    tenths = min(1000, held * 1000 // capacity) if capacity else 1000
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def _key(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:KEY_CHARS]

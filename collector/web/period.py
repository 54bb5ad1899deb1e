"""Which stretch of time a chart shows, and in whose zone. Pure."""

from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from collector.api.params import InvalidParameter, Params
from collector.api.trend import default_step_ms
from collector.trends.window import InvalidWindow, Window

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SPANS_MS = {
    "15m": 15 * MINUTE_MS,
    "1h": HOUR_MS,
    "6h": 6 * HOUR_MS,
    "24h": DAY_MS,
    "7d": 7 * DAY_MS,
    "30d": 30 * DAY_MS,
    "1y": 365 * DAY_MS,
    "2y": 730 * DAY_MS,
}
USUAL = "1h"
LEAST_MS = MINUTE_MS
"""No shorter stretch is offered."""
ZONE_COOKIE = "portgauge_zone"
PERIOD_KEYS = ("window", "from", "to")


def period(params: Params, now_ms: int, interval_ms: int) -> tuple[str, Window]:
    """(name of the span, or empty where `from` and `to` were given; the window). Raises InvalidParameter."""
    name = params.choice("window", tuple(SPANS_MS)) or USUAL
    from_ms, to_ms = params.time_ms("from"), params.time_ms("to")
    if from_ms is not None:
        name = ""
    to_ms = now_ms + 1 if to_ms is None else to_ms
    from_ms = max(0, to_ms - SPANS_MS[name]) if from_ms is None else from_ms
    try:
        return name, Window(from_ms, to_ms, default_step_ms(max(1, to_ms - from_ms), interval_ms))
    except InvalidWindow as error:
        raise InvalidParameter(error.parameter, str(error)) from None


def neighbours(window: Window, now_ms: int) -> list[tuple[str, dict[str, str]]]:
    """(name, what a query then asks for) of the windows beside this one: earlier, later, half and twice as long."""
    from_ms, to_ms = window.from_ms, min(window.to_ms, now_ms)
    span_ms, is_now = to_ms - from_ms, window.to_ms > now_ms
    middle_ms = (from_ms + to_ms) // 2
    found = {"← earlier": (from_ms - span_ms // 2, to_ms - span_ms // 2)}
    if not is_now:
        shift_ms = min(span_ms // 2, now_ms - to_ms)
        found["later →"] = (from_ms + shift_ms, to_ms + shift_ms)
    if span_ms >= 2 * LEAST_MS:
        found["half as long"] = (middle_ms, to_ms) if is_now else (middle_ms - span_ms // 4, middle_ms + span_ms // 4)
    if span_ms * 2 <= SPANS_MS["2y"]:
        end_ms = min(now_ms, middle_ms + span_ms)
        found["twice as long"] = (end_ms - 2 * span_ms, end_ms)
    return [
        (name, {"from": utc(low_ms), "to": utc(high_ms)}) for name, (low_ms, high_ms) in found.items() if low_ms >= 0
    ]


def utc(at_ms: int) -> str:
    """The time as an address carries it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone_of(cookie: str) -> tzinfo:
    """The zone a browser says it is in; UTC where it says none that is known here."""
    name = unquote(cookie)
    try:
        return ZoneInfo(name) if 0 < len(name) < 64 else UTC  # noqa: PLR2004 - no zone has a longer name
    except (ValueError, OSError, KeyError):
        return UTC

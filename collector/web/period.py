"""Which stretch of time a chart shows, and in whose zone. Pure."""

from datetime import UTC, tzinfo
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


def zone_of(cookie: str) -> tzinfo:
    """The zone a browser says it is in; UTC where it says none that is known here."""
    name = unquote(cookie)
    try:
        return ZoneInfo(name) if 0 < len(name) < 64 else UTC  # noqa: PLR2004 - no zone has a longer name
    except (ValueError, OSError, KeyError):
        return UTC

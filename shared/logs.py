"""Logging for people and for log collectors: one line an event, `key=value` or JSON, facts as fields.

log.info("pushed", extra=fields(seq=12, bytes=431))
2026-11-22T09:00:00.123Z info agent.push pushed seq=12 bytes=431
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_KEYS = 256
"""Different messages that are watched for repetition at a time."""
_ATTRIBUTE = "portgauge_fields"


def fields(**facts: object) -> dict[str, dict[str, object]]:
    """The `extra` of a log call that carries these facts."""
    return {_ATTRIBUTE: facts}


def configure(*, level: str = "info", as_json: bool = False, repeats_s: float | None = None) -> None:
    """Send the whole process's log to stderr in one format.

    With `repeats_s`, what was said is not said again for so many seconds; how often it was left out is said then.
    """
    handler = QuietHandler(repeats_s) if repeats_s else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else KeyValueFormatter())
    root = logging.getLogger()
    for former in root.handlers:
        if isinstance(former, QuietHandler):
            former.close()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


@dataclass(slots=True)
class Repeats:
    """Which events were told already, and how often they came again. Pure: times are those of the events.

    Two events are the same if logger, level, message and facts are, numbers among the facts aside: a sequence number
    makes no news. What is at debug is always told; who looks there wants all of it.
    """

    window_s: float
    _seen: dict[object, tuple[logging.LogRecord, int]] = field(default_factory=dict)
    """The record that was told, and how often it came again since; oldest first."""

    def is_news(self, record: logging.LogRecord) -> bool:
        """Whether to tell this one; one that is not is counted."""
        if record.levelno <= logging.DEBUG:
            return True
        facts = sorted((name, str(fact)) for name, fact in _facts(record).items() if type(fact) not in (int, float))
        key = (record.name, record.levelno, record.getMessage(), tuple(facts))
        if key in self._seen:
            told, again = self._seen[key]
            self._seen[key] = (told, again + 1)
            return False
        self._seen[key] = (record, 0)
        return True

    def over(self, now_s: float) -> Iterator[logging.LogRecord]:
        """Forget what was told a window ago, and give a record for each that came again meanwhile."""
        for key, (told, again) in list(self._seen.items()):
            if told.created + self.window_s > now_s and len(self._seen) <= MOST_KEYS:
                return
            del self._seen[key]
            if again:
                yield _repeated(told, again)


class QuietHandler(logging.StreamHandler[Any]):
    """To stderr, each event once a window."""

    def __init__(self, window_s: float) -> None:
        super().__init__(sys.stderr)
        self._repeats = Repeats(window_s)
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        self._tell_repeats(record.created)
        if self._repeats.is_news(record):
            super().emit(record)
        elif self._timer is None:
            self._timer = threading.Timer(self._repeats.window_s, self._time_is_up)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """What was left out is not lost with the process."""
        self._time_is_up()
        super().close()

    def _time_is_up(self) -> None:
        self.acquire()
        try:
            if self._timer:
                self._timer.cancel()
            self._timer = None
            self._tell_repeats(float("inf"))
        finally:
            self.release()

    def _tell_repeats(self, now_s: float) -> None:
        for record in self._repeats.over(now_s):
            super().emit(record)


class KeyValueFormatter(logging.Formatter):
    """`time level logger message key=value …`; values with spaces or control characters are quoted."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, a traceback (if any) below it."""
        pairs = "".join(f" {key}={_shown(value)}" for key, value in _facts(record).items())
        message = record.getMessage().replace("\n", "\\n")
        line = f"{_time(record)} {record.levelname.lower()} {record.name} {message}{pairs}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as JSON; the facts are keys of their own."""
        event: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str, ensure_ascii=False)


def _repeated(told: logging.LogRecord, again: int) -> logging.LogRecord:
    often = "once" if again == 1 else f"{again} times"
    message = f"{told.getMessage()} … repeated {often}"
    record = logging.LogRecord(told.name, told.levelno, told.pathname, told.lineno, message, (), None)
    record.__dict__.update(fields(**_facts(told)))
    return record


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts: dict[str, object] = getattr(record, _ATTRIBUTE, {})
    return facts


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and text and " " not in text and '"' not in text else json.dumps(text)

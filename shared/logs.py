"""Logging for people and for log collectors: one line an event, `key=value` or JSON, facts as fields.

log.info("pushed", extra=fields(seq=12, bytes=431))
2026-11-22T09:00:00.123Z info agent.push pushed seq=12 bytes=431
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_ATTRIBUTE = "portgauge_fields"


def fields(**facts: object) -> dict[str, dict[str, object]]:
    """The `extra` of a log call that carries these facts."""
    return {_ATTRIBUTE: facts}


def configure(*, level: str = "info", as_json: bool = False) -> None:
    """Send the whole process's log to stderr in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


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


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts: dict[str, object] = getattr(record, _ATTRIBUTE, {})
    return facts


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and text and " " not in text and '"' not in text else json.dumps(text)

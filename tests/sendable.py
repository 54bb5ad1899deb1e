"""What a test reports, so that a worker of pytest-xdist can send it: half a surrogate pair is in no UTF-8."""

from typing import Any


def sendable(value: Any) -> Any:
    """The same, its text with a backslash where UTF-8 has nothing: a worker that cannot send a report breaks whole."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {sendable(key): sendable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(sendable(one) for one in value)
    return value

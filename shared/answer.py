"""What a collector answers, read by a program that may be newer than it: what is missing is said. Pure."""

import json
from typing import Any

from shared.errors import PortgaugeError


class NotUnderstood(PortgaugeError):
    """An answer that no collector gives, or one of another version. Says which, and what to do."""


class Answer(dict[str, Any]):
    """An object out of an answer. To ask it for a key that it has not raises NotUnderstood; `get` answers None."""

    def __init__(self, keys: dict[str, Any], where: str) -> None:
        """`where` it was asked, for whoever reads the error."""
        super().__init__(keys)
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise NotUnderstood(
            f"{self._where} answers without {key!r}, as an older collector than this command does: upgrade the"
            " collector, which goes first, or use the command of the collector's own version"
        )


def answer_of(body: bytes, where: str) -> Answer:
    """The object that a body holds. Raises NotUnderstood where it holds none."""
    try:
        found = json.loads(body, object_hook=lambda keys: Answer(keys, where))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, Answer):
        raise NotUnderstood(f"{where} answers, but not as a collector does: is this its address, with nothing between?")
    return found

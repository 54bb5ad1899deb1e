"""Bodies of requests as typed values; a mistake names its key. Pure."""

import json
from typing import Any, TypeVar

from collector.api.params import InvalidParameter
from shared.settings import SettingsError, build

T = TypeVar("T")


def document_in(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises InvalidParameter."""
    try:
        given = json.loads(body)
        json.dumps(given, ensure_ascii=False).encode()  # Half of a surrogate pair could not be told again.
    except (ValueError, RecursionError):
        raise InvalidParameter("body", "JSON is needed") from None
    if not isinstance(given, dict):
        raise InvalidParameter("body", "a JSON object is needed")
    return given


def built(kind: type[T], values: dict[str, Any]) -> T:
    """A `kind` of these values. Raises InvalidParameter that names the key."""
    try:
        return build(kind, values, "body")
    except SettingsError as error:
        raise InvalidParameter(error.key or "body", error.what) from None

"""What a collector's answer means for the snapshot that was sent. Pure."""

from enum import Enum, auto
from http import HTTPStatus

RETRY_AFTER_MOST_S = 3_600.0


class Fate(Enum):
    """What becomes of a snapshot."""

    TAKEN = auto()
    """The collector has it, perhaps already had: leave it out of the spool."""
    LATER = auto()
    """The collector cannot now: try again."""
    NOT_ALLOWED = auto()
    """Our token is not good: keep it, say so once, try slowly; an operator must act."""
    REFUSED = auto()
    """This body will never be taken: set it aside, go on with the others."""


_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
_WORTH_REPEATING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


def fate(status: int) -> Fate:
    """Judge an HTTP status. Where /v1/snapshots is unknown (404, 405), the place is wrong, not the body."""
    if 200 <= status < 300:  # noqa: PLR2004 - any success
        return Fate.TAKEN
    if status in _NOT_ALLOWED:
        return Fate.NOT_ALLOWED
    if status in _WORTH_REPEATING or status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return Fate.LATER
    if 400 <= status < 500:  # noqa: PLR2004 - any other fault of ours
        return Fate.REFUSED
    return Fate.LATER


def retry_after_s(header: str | None) -> float | None:
    """The seconds of a Retry-After header, bounded; None for none, a date or nonsense."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return min(float(header.strip()), RETRY_AFTER_MOST_S)

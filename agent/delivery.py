"""What a collector's answer means for the snapshot that was sent, and how long to wait for it and after it. Pure."""

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus

RETRY_AFTER_MOST_S = 3_600.0
PATIENCE_S = 15.0
LEAST_BYTES_PER_S = 4_096
"""A link slower than this does not carry a snapshot of a large host within any interval."""
BACKLOG_SHARE = 20
"""Of its time with a backlog an agent rests this many parts for each part that the collector works for it. So of ten
thousand agents that come back at once at most 10,000 / 21 = 476 are in the collector at a time, however slow that makes
it; it admits 1,024. A collector that answers fast is given the backlog fast."""
LEAST_PAUSE_S, MOST_PAUSE_S = 0.1, 5.0


class Fate(Enum):
    """What becomes of a snapshot."""

    TAKEN = auto()
    """The collector has it, perhaps already had: leave it out of the spool."""
    LATER = auto()
    """The collector cannot now: try again."""
    NOT_ALLOWED = auto()
    """We are not let in: keep it, say so once, try slowly; an operator must act."""
    TOO_LARGE = auto()
    """Somebody on the way takes no body of this size: tell the same in fewer bytes."""
    REFUSED = auto()
    """This body will never be taken: set it aside, go on with the others."""


_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
_WORTH_REPEATING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_NOT_THE_PLACE = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a collector says of a snapshot it took."""

    is_accepted: bool
    """False where it is no collector that speaks: a proxy's page must not pass for a receipt."""
    config_revision: int | None = None
    renew_token: bool = False
    """Whether it wants the agent to exchange its token."""


def receipt(body: bytes) -> Receipt:
    """Read the body of an answer, whatever it is."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Receipt(is_accepted=False)
    if not isinstance(document, dict):
        return Receipt(is_accepted=False)
    revision = document.get("config_revision")
    return Receipt(
        document.get("accepted") is True,
        revision if type(revision) is int else None,
        renew_token=document.get("renew_token") is True,
    )


def fate(status: int, *, is_accepted: bool) -> Fate:
    """Judge an HTTP status. Where /v1/snapshots is unknown (404, 405), the place is wrong, not the body."""
    if 200 <= status < 300:  # noqa: PLR2004 - any success
        return Fate.TAKEN if is_accepted else Fate.LATER
    if status in _NOT_ALLOWED:
        return Fate.NOT_ALLOWED
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Fate.TOO_LARGE
    if 400 <= status < 500 and status not in _WORTH_REPEATING | _NOT_THE_PLACE:  # noqa: PLR2004 - any other fault of ours
        return Fate.REFUSED
    return Fate.LATER


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """How long a Retry-After header asks to wait, bounded (RFC 9110, 10.2.3: seconds or a date); None for nonsense.

    `now_s` is Unix time.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_MOST_S)
    try:
        at_s = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, at_s - now_s), RETRY_AFTER_MOST_S)


def patience_s(size: int) -> float:
    """How long to wait for the answer to a body of `size` bytes."""
    return PATIENCE_S + size / LEAST_BYTES_PER_S


def pause_s(took_s: float) -> float:
    """How long to leave the collector alone before the next of a backlog, the last one having taken it `took_s`."""
    return min(max(BACKLOG_SHARE * took_s, LEAST_PAUSE_S), MOST_PAUSE_S)

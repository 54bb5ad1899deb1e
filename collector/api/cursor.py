"""Cursors: where a page of a list ended, as an opaque text that its client hands back for the next page. Pure.

A cursor holds the sort key of the last item told, never a number of items to skip: what comes or goes meanwhile before
it shifts nothing. Each list has a type of its own here, so that no list takes another's.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

from collector.api.params import InvalidParameter, Params
from collector.api.shapes import Listing
from shared.limits import MAX_COUNT, MAX_TIME_MS
from shared.model import Kind

T = TypeVar("T")
S = TypeVar("S")
_Number = Annotated[int, msgspec.Meta(ge=-MAX_TIME_MS, le=MAX_TIME_MS)]
_Text = Annotated[str, msgspec.Meta(max_length=1_024, pattern=r"^[^\x00]*\Z")]
_Bytes = Annotated[bytes, msgspec.Meta(max_length=16)]
MOST_CHARS = 4_096


class Cursor(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The sort key of the last item that was told."""


class AfterName(Cursor, frozen=True, array_like=True, tag="name"):
    """Of lists by name of host."""

    name: _Text


class BeforeId(Cursor, frozen=True, array_like=True, tag="id"):
    """Of lists that begin with the newest."""

    id: _Number


class AfterEnd(Cursor, frozen=True, array_like=True, tag="end"):
    """Of silences, the first to end first."""

    ends_ms: _Number
    id: _Number


class AfterAlert(Cursor, frozen=True, array_like=True, tag="alert"):
    """Of alerts, in either order."""

    is_pool: bool
    occupancy: float
    name: _Text
    id: _Number


class AfterPool(Cursor, frozen=True, array_like=True, tag="pool"):
    """Of pools, in either order."""

    occupancy: float
    headroom_min: Annotated[int, msgspec.Meta(ge=-MAX_COUNT, le=MAX_COUNT)]
    host: _Text
    netns: _Text
    kind: Kind
    local: _Bytes
    peer: _Bytes
    peer_port: _Number


C = TypeVar("C", bound=Cursor)


def written(key: Cursor) -> str:
    """As a client holds it: letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def cursor_of(params: Params, kind: type[C]) -> C | None:
    """The cursor the query carries; None on the first page. Raises InvalidParameter for what this list never gave."""
    text = params.text("cursor")
    if text is None:
        return None
    try:
        if len(text) > MOST_CHARS or not text.isascii():
            raise ValueError  # noqa: TRY301 - one way out for all that is not ours
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise InvalidParameter("cursor", "this list gave no such cursor; begin anew without one") from None


def page_of(found: Sequence[T], limit: int, shape: Callable[[T], S], key: Callable[[T], Cursor]) -> Listing[S]:
    """The first `limit` of what was found; whoever looks for one more than that knows whether there is a next page."""
    told = found[:limit]
    return {
        "items": [shape(one) for one in told],
        "next": written(key(told[-1])) if len(found) > limit else None,
    }

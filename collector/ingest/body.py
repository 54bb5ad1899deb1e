"""A request's body: the right type, a known encoding, and never more of it in memory than the wire allows."""

import asyncio
import zlib

from aiohttp import web

from shared import wire
from shared.errors import PortgaugeError
from shared.limits import MAX_BODY_BYTES

ENCODINGS = ("identity", "gzip")
_GZIP = 16 + zlib.MAX_WBITS
READ_S = 30
"""A body of 1 MiB takes 30 s at 280 kbit/s; whoever is slower holds room that others need."""


class UnsupportedMedia(PortgaugeError):
    """A body of a type or encoding that is not read here."""

    def __init__(self, header: str, found: str, supported: tuple[str, ...]) -> None:
        super().__init__(f"{header} {found[:80]!r} is not read here; send {' or '.join(supported)}")
        self.header, self.accepted = header, supported


class BrokenBody(PortgaugeError):
    """The body ends early, cannot be inflated, or takes too long to arrive."""


def require_readable(request: web.Request) -> None:
    """Raise UnsupportedMedia or wire.TooLarge for what the headers alone give away."""
    if request.content_type != wire.CONTENT_TYPE:
        raise UnsupportedMedia("Content-Type", request.content_type, (wire.CONTENT_TYPE,))
    encoding = _encoding(request)
    if encoding not in ENCODINGS:
        raise UnsupportedMedia("Content-Encoding", encoding, ENCODINGS)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise wire.TooLarge(request.content_length or 0, MAX_BODY_BYTES)


def room_for(request: web.Request) -> int:
    """How many bytes the body may come to hold; what does not say its length may grow up to the limit."""
    is_known = request.content_length is not None and _encoding(request) == "identity"
    return (request.content_length or 0) if is_known else MAX_BODY_BYTES


async def read(request: web.Request) -> bytes:
    """The whole body, inflated. Raises wire.TooLarge as soon as it passes the limit, BrokenBody where it breaks."""
    data = await _received(request)
    return inflate(data) if _encoding(request) == "gzip" else data


def inflate(data: bytes) -> bytes:
    """The gzip member as bytes, never more of them than a body may have. Raises wire.TooLarge, BrokenBody."""
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        body = inflater.decompress(data, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise BrokenBody("the body is not gzip, though its Content-Encoding says so") from None
    if len(body) > MAX_BODY_BYTES:
        raise wire.TooLarge(len(body), MAX_BODY_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise BrokenBody("the body is not one whole gzip member")
    return body


async def _received(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()  # Stops at the application's client_max_size.
    except TimeoutError:
        raise BrokenBody(f"the body did not arrive within {READ_S} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise wire.TooLarge(MAX_BODY_BYTES + 1, MAX_BODY_BYTES) from None
    except (web.PayloadAccessError, web.RequestPayloadError, ConnectionError, ValueError) as error:
        raise BrokenBody(f"the body cannot be read ({type(error).__name__})") from None


def _encoding(request: web.Request) -> str:
    return request.headers.get("Content-Encoding", "identity").strip().lower()

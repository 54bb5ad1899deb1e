"""A push as every agent sends it, told from the bytes of its head. Pure.

Whatever looks different in any way is not judged here: aiohttp reads it, and answers it. What is accepted here is a
subset of what aiohttp accepts for the same request, only for less.
"""

from typing import NamedTuple

from shared import wire
from shared.limits import MAX_BODY_BYTES
from shared.token import digest_of

REQUEST_LINE = b"POST /v1/snapshots HTTP/1.1"
MAX_HEAD_BYTES = 8 * 1024
_TYPE = wire.CONTENT_TYPE.encode()
_DECIDING = frozenset({b"content-length", b"content-type", b"content-encoding", b"authorization", b"host"})
_IGNORED = frozenset({b"accept", b"accept-encoding", b"user-agent", b"connection"})
_MOST_DIGITS = len(str(MAX_BODY_BYTES))


class PushHead(NamedTuple):
    """What the head of a push says. One is read for many pushes, and `token_hash`, of the token, made as seldom."""

    token: str
    token_hash: bytes
    length: int
    is_gzip: bool


def may_become(start: bytes) -> bool:
    """Whether these first bytes of a request may yet turn out to be a push."""
    line = REQUEST_LINE + b"\r\n"
    return len(start) <= MAX_HEAD_BYTES and (start.startswith(line) or line.startswith(start))


def parse(head: bytes) -> PushHead | None:
    """Read a head, its empty line left out. None: not a push in the form agents send."""
    line, *rest = head.split(b"\r\n")
    if line != REQUEST_LINE:
        return None
    fields: dict[bytes, bytes] = {}
    for item in rest:
        name, colon, value = item.partition(b":")
        name = name.lower()
        if not colon or name in fields or not (name in _DECIDING or name in _IGNORED):
            return None
        fields[name] = value.strip(b" \t")
    return _of(fields)


def _of(fields: dict[bytes, bytes]) -> PushHead | None:
    scheme, _, token = fields.get(b"authorization", b"").partition(b" ")
    length = fields.get(b"content-length", b"")
    encoding = fields.get(b"content-encoding", b"identity")
    is_plain = (
        scheme == b"Bearer"
        and token.isascii()
        and b"host" in fields
        and length.isdigit()
        and len(length) <= _MOST_DIGITS
        and fields.get(b"content-type") == _TYPE
        and encoding in {b"identity", b"gzip"}
        and fields.get(b"connection", b"keep-alive") == b"keep-alive"
    )
    if not is_plain or not 0 < int(length) <= MAX_BODY_BYTES:
        return None
    text = token.decode("ascii")
    return PushHead(text, digest_of(text), int(length), encoding == b"gzip")

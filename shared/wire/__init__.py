"""The wire: a snapshot as bytes, and back. Pure.

One msgpack map. `decode` reads `schema` first and dispatches, so that an old collector refuses a new agent
with a clear answer and a new collector understands every old agent. Unknown keys are ignored; golden files in
tests/golden decode for ever. docs/wire.md describes each key.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack

from shared.limits import MAX_BODY_BYTES
from shared.model import Pool, Snapshot
from shared.wire import v1
from shared.wire.errors import Malformed, TooLarge, UnknownSchema, WireError

CONTENT_TYPE = "application/vnd.portgauge.snapshot+msgpack"
SCHEMA = v1.SCHEMA
SUPPORTED: Mapping[int, Callable[..., Snapshot]] = {v1.SCHEMA: v1.snapshot_of}

__all__ = [
    "CONTENT_TYPE",
    "SCHEMA",
    "SUPPORTED",
    "Malformed",
    "TooLarge",
    "UnknownSchema",
    "WireError",
    "decode",
    "encode",
    "known_pools",
    "outline",
    "remembered_pools",
]


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot in the newest schema."""
    body: bytes = msgpack.packb(v1.document_of(snapshot), use_bin_type=True)
    return body


def known_pools(digest: bytes, namespaces: tuple[str, ...]) -> int | None:
    """How many pools the list of this hash has, where it was read before under these names of namespaces."""
    return v1.known_pools(digest, namespaces)


def remembered_pools(digest: bytes, namespaces: tuple[str, ...]) -> tuple[Pool, ...] | None:
    """The pools of the list of this hash, row by row, where it was read before under these names of namespaces."""
    return v1.remembered_pools(digest, namespaces)


def outline(body: bytes) -> Snapshot:
    """The snapshot without its readings, everything checked: raises where, and only where, `decode` does."""
    return decode(body, rows=())


def decode(body: bytes, *, rows: Sequence[int] | None = None) -> Snapshot:
    """Read one snapshot of any supported schema; everything is checked, and readings made of these rows alone.

    Raises TooLarge past MAX_BODY_BYTES, UnknownSchema for a schema not in SUPPORTED, Malformed for anything else
    that is not a snapshot: no bytes whatever make it raise another error or allocate more than a small multiple
    of their own length.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(len(body), MAX_BODY_BYTES)
    document = _unpack(body)
    if not isinstance(document, dict):
        raise Malformed("body", f"a map is needed, not {type(document).__name__}")
    schema = document.get("schema")
    if type(schema) is not int:
        raise Malformed("schema", "an integer is needed")
    reader = SUPPORTED.get(schema)
    if reader is None:
        raise UnknownSchema(schema, sorted(SUPPORTED))
    return reader(document, rows=rows)


def _unpack(body: bytes) -> Any:
    try:
        return msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            max_ext_len=0,
            object_pairs_hook=_map_without_duplicates,
        )
    except Malformed:
        raise
    # msgpack's own errors are ValueErrors, bad UTF-8 and a nesting bomb (StackError) among them.
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise Malformed("body", f"not msgpack ({type(error).__name__})") from None


def _map_without_duplicates(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed("body", "a map names a key twice")
    return made

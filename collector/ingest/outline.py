"""A body checked in C, for what agents send all the time. Pure.

It accepts a body only where it is byte for byte what the present schema's encoder writes, with a list of pools that was
read before; anything else is read by `shared.wire`, which alone decides what is refused, and how.
"""

from collections.abc import Mapping
from hashlib import blake2b
from string import ascii_letters, digits
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct, field
from numpy.typing import NDArray

from collector.fleet.host import Reported
from shared import limits, wire
from shared.ports import HIGHEST_PORT
from shared.tcp import State
from shared.wire import claims
from shared.wire.v1 import COUNTS, FAILURES, HASH_BYTES, KNEE, KNEES, OWNER, RECYCLABLE, SCHEMA

_Text = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARS)]
_Port = Annotated[int, Meta(ge=0, le=HIGHEST_PORT)]
_Count = Annotated[int, Meta(ge=0, le=limits.MAX_COUNT)]
_Reason = Annotated[str, Meta(max_length=limits.MAX_FAILURE_CHARS)]
_Owner = Annotated[str, Meta(max_length=limits.MAX_OWNER_CHARS)]
_KNOWN = frozenset({*COUNTS, *(state.name for state in State), FAILURES, OWNER, KNEE, RECYCLABLE})


_HEX = "0123456789abcdef"
_LABEL = ascii_letters + digits + "_"
_HOST = ascii_letters + digits + "._:-"
"""What names are made of: to strip a text of them takes a tenth of what a pattern does."""
_NOT_FIRST = frozenset({"", *digits})


class _Namespace(Struct, omit_defaults=True):
    name: _Text
    inode: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    range: tuple[_Port, _Port]
    reserved: _Port
    blocked: _Port
    settings: Annotated[dict[str, Annotated[int, Meta(ge=-(2**31), le=2**32)]], Meta(max_length=limits.MAX_SETTINGS)]
    totals: Annotated[dict[str, _Count], Meta(max_length=len(State))]
    remainder: tuple[_Count, _Count, _Count]
    claims: tuple[Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)], bytes] | None = None


class _State(Struct):
    """The keys in the order in which shared.wire.state writes them."""

    started_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    cpu_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    dropped: Annotated[int, Meta(ge=0, le=limits.MAX_SEQ)]
    revision: _Count
    failed: _Count
    why: _Reason
    features: Annotated[list[_Text], Meta(max_length=limits.MAX_FEATURES)]


class _Body(Struct, omit_defaults=True):
    """A `Reported`, its keys in the order in which shared.wire.v1 writes them, and left out where that leaves them out.

    No value is made of it: a snapshot with sixteen fields takes as long as to unpack a body.
    """

    schema: Literal[1]
    host: _Text
    boot_id: _Text
    seq: Annotated[int, Meta(ge=0, le=limits.MAX_SEQ)]
    taken_at_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    interval_ms: Annotated[int, Meta(ge=1, le=limits.MAX_INTERVAL_MS)]
    agent_version: _Text = field(name="agent")
    labels: Annotated[dict[str, _Text], Meta(max_length=limits.MAX_LABELS)]
    failure: _Reason | None
    namespaces: Annotated[list[_Namespace], Meta(max_length=limits.MAX_NAMESPACES)]
    identities: Raw
    identities_hash: bytes
    columns: dict[str, bytes]
    owners: Annotated[list[_Owner], Meta(max_length=limits.MAX_OWNERS)] = []
    machine_id: str = ""
    uptime_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)] = 0
    state: _State | None = None
    unreadable: Annotated[list[tuple[_Count, _Reason]], Meta(max_length=limits.MAX_UNREADABLE)] = []


_DECODER, _ENCODER = msgspec.msgpack.Decoder(_Body), msgspec.msgpack.Encoder()


def outline(body: bytes) -> Reported:
    """As `wire.outline`, and as strict."""
    return _ordinary(body) or wire.outline(body)


def _ordinary(body: bytes) -> _Body | None:
    """None where the body is not an ordinary one, good or bad."""
    if len(body) > limits.MAX_BODY_BYTES:
        return None
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if _is_sound(found) and _as_encoded(found) == body else None


def _as_encoded(body: _Body) -> bytes:
    """The body as shared.wire writes it: msgspec spells the size of a map with two bytes more than it needs here."""
    data = _ENCODER.encode(body)
    is_long = data[:2] == b"\xde\0" and data[2] < 16  # noqa: PLR2004 - the sizes that msgpack's fixmap has
    return bytes([0x80 | data[2]]) + data[3:] if is_long else data


def _is_sound(body: _Body) -> bool:
    names = tuple([namespace.name for namespace in body.namespaces])
    digest = blake2b(body.identities, digest_size=HASH_BYTES).digest()
    pools = wire.known_pools(digest, names)
    return (
        pools is not None
        and digest == body.identities_hash
        and len(set(names)) == len(names)
        and _are_named(body)
        and all([_is_whole(namespace) for namespace in body.namespaces])  # noqa: C419 - no generator for each push
        and "".join([body.agent_version, body.failure or "", *body.labels.values(), *names, *_more(body)]).isprintable()
        and _are_sound(body.columns, pools, len(body.owners))
    )


def _are_named(body: _Body) -> bool:
    """Whether host, boot, labels and machine have names as they must be."""
    host, boot_id, machine_id = body.host, body.boot_id, body.machine_id
    return (
        host[:1].isalnum()
        and boot_id[:1].isalnum()
        and not (host + boot_id).strip(_HOST)
        and not "".join(body.labels).strip(_LABEL)
        and not [key for key in body.labels if key[:1] in _NOT_FIRST]
        and (not machine_id or (len(machine_id) == len(_HEX) * 2 and not machine_id.strip(_HEX)))
    )


def _is_whole(namespace: _Namespace) -> bool:
    low, high = namespace.range
    return 0 < low <= high and (namespace.claims is None or claims.is_sound(namespace.claims[1]))


def _more(body: _Body) -> list[str]:
    """Texts that most bodies do not have."""
    state = body.state
    if not (body.owners or state or body.unreadable):
        return []
    told = [state.why, *state.features] if state else []
    return [*body.owners, *told, *(why for _, why in body.unreadable)]


def _are_sound(columns: Mapping[str, bytes], pools: int, owners: int) -> bool:
    if not (columns.keys() <= _KNOWN and set(map(len, columns.values())) == {2 * pools}):
        return False
    try:
        held, capacity, low, high = [columns[name] for name in COUNTS]
    except KeyError:
        return False
    return (
        # Three comparisons as one: numpy takes as long to be called as it takes for hundreds of numbers.
        not np.count_nonzero(_numbers(held + low + high) > _numbers(capacity + high + capacity))
        and (OWNER not in columns or not np.count_nonzero(_numbers(columns[OWNER]) > owners))
        and (KNEE not in columns or not np.count_nonzero(_numbers(columns[KNEE]) >= len(KNEES)))
    )


def _numbers(column: bytes) -> NDArray[np.uint16]:
    return np.frombuffer(column, "<u2")


assert SCHEMA == 1  # noqa: S101 - a newer schema needs a reader of its own here

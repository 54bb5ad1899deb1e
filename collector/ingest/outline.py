"""A body checked in C, for what agents send all the time. Pure.

It accepts a body only where it is byte for byte what the present schema's encoder writes, with a list of pools that was
read before; anything else is read by `shared.wire`, which alone decides what is refused, and how.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from numpy.typing import NDArray

from shared import limits, wire
from shared.model import AgentState, Snapshot
from shared.ports import HIGHEST_PORT
from shared.tcp import State
from shared.wire import claims
from shared.wire.v1 import COUNTS, FAILURES, HASH_BYTES, KNEE, KNEES, OWNER, RECYCLABLE, SCHEMA

_Text = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARS)]
_Host = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARS, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*\Z")]
_Label = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z")]
_Port = Annotated[int, Meta(ge=0, le=HIGHEST_PORT)]
_Count = Annotated[int, Meta(ge=0, le=limits.MAX_COUNT)]
_Reason = Annotated[str, Meta(max_length=limits.MAX_FAILURE_CHARS)]
_Owner = Annotated[str, Meta(max_length=limits.MAX_OWNER_CHARS)]
_KNOWN = frozenset({*COUNTS, *(state.name for state in State), FAILURES, OWNER, KNEE, RECYCLABLE})


class _Namespace(Struct):
    name: _Text
    inode: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    range: tuple[_Port, _Port]
    reserved: _Port
    blocked: _Port
    settings: Annotated[dict[str, Annotated[int, Meta(ge=-(2**31), le=2**32)]], Meta(max_length=limits.MAX_SETTINGS)]
    totals: Annotated[dict[str, _Count], Meta(max_length=len(State))]
    remainder: tuple[_Count, _Count, _Count]
    claims: tuple[Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)], bytes] | UnsetType = UNSET


class _State(Struct):
    """The keys in the order in which shared.wire.state writes them."""

    started_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    cpu_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    dropped: Annotated[int, Meta(ge=0, le=limits.MAX_SEQ)]
    revision: _Count
    failed: _Count
    why: _Reason
    features: Annotated[list[_Text], Meta(max_length=limits.MAX_FEATURES)]


class _Body(Struct):
    """The keys in the order in which shared.wire.v1 writes them."""

    schema: Literal[1]
    host: _Host
    boot_id: _Host
    seq: Annotated[int, Meta(ge=0, le=limits.MAX_SEQ)]
    taken_at_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)]
    interval_ms: Annotated[int, Meta(ge=1, le=limits.MAX_INTERVAL_MS)]
    agent: _Text
    labels: Annotated[dict[_Label, _Text], Meta(max_length=limits.MAX_LABELS)]
    failure: _Reason | None
    namespaces: Annotated[list[_Namespace], Meta(max_length=limits.MAX_NAMESPACES)]
    identities: Raw
    identities_hash: bytes
    columns: dict[str, bytes]
    owners: Annotated[list[_Owner], Meta(max_length=limits.MAX_OWNERS)] | UnsetType = UNSET
    machine_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")] | UnsetType = UNSET
    uptime_ms: Annotated[int, Meta(ge=0, le=limits.MAX_TIME_MS)] | UnsetType = UNSET
    state: _State | UnsetType = UNSET
    unreadable: Annotated[list[tuple[_Count, _Reason]], Meta(max_length=limits.MAX_UNREADABLE)] | UnsetType = UNSET


_DECODER, _ENCODER = msgspec.msgpack.Decoder(_Body), msgspec.msgpack.Encoder()


def outline(body: bytes) -> Snapshot:
    """As `wire.outline`, and as strict; namespaces may be left out too."""
    return _ordinary(body) or wire.outline(body)


def _ordinary(body: bytes) -> Snapshot | None:
    """None where the body is not an ordinary one, good or bad."""
    if len(body) > limits.MAX_BODY_BYTES:
        return None
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not (_is_sound(found) and _as_encoded(found) == body):
        return None
    return Snapshot(
        host=found.host,
        boot_id=found.boot_id,
        seq=found.seq,
        taken_at_ms=found.taken_at_ms,
        agent_version=found.agent,
        interval_ms=found.interval_ms,
        labels=found.labels,
        failure=found.failure,
        machine_id="" if found.machine_id is UNSET else found.machine_id,
        uptime_ms=0 if found.uptime_ms is UNSET else found.uptime_ms,
        state=None if found.state is UNSET else _state_of(found.state),
    )


def _state_of(found: _State) -> AgentState:
    return AgentState(
        started_ms=found.started_ms,
        cpu_ms=found.cpu_ms,
        dropped=found.dropped,
        revision=found.revision,
        failed=found.failed,
        why=found.why,
        features=tuple(found.features),
    )


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
        and all(0 < namespace.range[0] <= namespace.range[1] for namespace in body.namespaces)
        and all(one.claims is UNSET or claims.is_sound(one.claims[1]) for one in body.namespaces)
        and "".join([body.agent, body.failure or "", *body.labels.values(), *names, *_more_texts(body)]).isprintable()
        and _are_sound(body.columns, pools, 0 if body.owners is UNSET else len(body.owners))
    )


def _more_texts(body: _Body) -> list[str]:
    owners = [] if body.owners is UNSET else body.owners
    if body.state is not UNSET:
        owners = [*owners, body.state.why, *body.state.features]
    return owners if body.unreadable is UNSET else [*owners, *(why for _, why in body.unreadable)]


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

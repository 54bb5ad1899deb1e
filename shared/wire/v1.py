"""Schema 1: identities as rows, readings as packed columns.

A column is one `bin` of little-endian u16, one number a pool; a pool cannot hold more than 65,535 ports. A packed
column decodes in C, 11 to 60 times faster than a row a pool, and is what the collector can store untouched.

Some additions travel only where there is something to say, and older readers pass over them: the column `failures`;
the column `owner`, whose numbers count from 1 in the list `owners`, 0 being nobody; the column `knee`, an index into
KNEES; the column `recyclable`; `unreadable`, pairs of a count of namespaces and the reason why they are not in the
snapshot; `machine_id`, `uptime_ms`, `state` and `evidence`; `claims` of a namespace.
"""

import hashlib
import operator
import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgpack

from shared import limits
from shared.addresses import V4_BYTES, V6_BYTES, fold
from shared.model import Kind, Namespace, Pool, Reading, Remainder, Snapshot, Unreadable
from shared.ports import HIGHEST_PORT, InvalidPorts, PortRange
from shared.tcp import State
from shared.wire.claims import CLAIMS, claims_of, row_of
from shared.wire.errors import Malformed
from shared.wire.evidence import EVIDENCE, evidence_of, rows_of
from shared.wire.memo import Memo
from shared.wire.state import STATE, state_of
from shared.wire.state import document_of as state_document_of

SCHEMA = 1
COUNTS = ("held", "capacity", "headroom_min", "headroom_max")
FAILURES, OWNER, OWNERS, UNREADABLE, KNEE = "failures", "owner", "owners", "unreadable", "knee"
RECYCLABLE = "recyclable"
MACHINE_ID, UPTIME = "machine_id", "uptime_ms"
KNEES = (None, False, True)
"""Not counted, not past it, past it."""
KINDS = tuple(Kind)
HASH_BYTES = 16
_ADDRESS_LENGTHS = frozenset({0, V4_BYTES, V6_BYTES})
_STATE_NAMES = {state.name: state for state in State}
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*\Z")
_SEEN = Memo(most_pools=600_000)
"""A host lists the same pools in report after report: they are checked, and made, once."""
_MACHINE_ID = re.compile(r"[0-9a-f]{32}\Z")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


# --- encode ----------------------------------------------------------------------------------------------------------


def document_of(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as the map that is packed."""
    index = {namespace.name: number for number, namespace in enumerate(snapshot.namespaces)}
    identities = [
        [index[r.pool.netns], KINDS.index(r.pool.kind), r.pool.local, r.pool.peer, r.pool.peer_port]
        for r in snapshot.readings
    ]
    owners = _owners_of(snapshot.readings)
    return {
        "schema": SCHEMA,
        "host": snapshot.host,
        "boot_id": snapshot.boot_id,
        "seq": snapshot.seq,
        "taken_at_ms": snapshot.taken_at_ms,
        "interval_ms": snapshot.interval_ms,
        "agent": snapshot.agent_version,
        "labels": dict(snapshot.labels),
        "failure": snapshot.failure,
        "namespaces": [_namespace_document(namespace) for namespace in snapshot.namespaces],
        "identities": identities,
        "identities_hash": hash_of(identities),
        "columns": _columns(snapshot.readings, owners),
        **({OWNERS: owners} if owners else {}),
        **({MACHINE_ID: snapshot.machine_id} if snapshot.machine_id else {}),
        **({UPTIME: snapshot.uptime_ms} if snapshot.uptime_ms else {}),
        **({STATE: state_document_of(snapshot.state)} if snapshot.state else {}),
        **({UNREADABLE: _unreadable_rows(snapshot.unreadable)} if snapshot.unreadable else {}),
        **({EVIDENCE: rows_of(snapshot)} if snapshot.evidence else {}),
    }


def hash_of(identities: Sequence[Sequence[Any]]) -> bytes:
    """What names a list of identities: 16 bytes of BLAKE2b over its msgpack form."""
    return hashlib.blake2b(msgpack.packb(identities, use_bin_type=True), digest_size=HASH_BYTES).digest()


def _namespace_document(namespace: Namespace) -> dict[str, Any]:
    rest = namespace.remainder
    return {
        "name": namespace.name,
        "inode": namespace.inode,
        "range": [namespace.port_range.low, namespace.port_range.high],
        "reserved": namespace.reserved,
        "blocked": namespace.blocked,
        "settings": dict(namespace.settings),
        "totals": {state.name: count for state, count in namespace.totals.items()},
        "remainder": [rest.pools, rest.held, rest.max_held],
        **({CLAIMS: row_of(namespace.claims)} if namespace.claims else {}),
    }


def _unreadable_rows(unreadable: Sequence[Unreadable]) -> list[list[Any]]:
    """Those past the bound become one, so that the sum stays."""
    rows: list[list[Any]] = [[one.namespaces, one.why[: limits.MAX_FAILURE_CHARS]] for one in unreadable]
    if len(rows) <= limits.MAX_UNREADABLE:
        return rows
    told, rest = rows[: limits.MAX_UNREADABLE - 1], rows[limits.MAX_UNREADABLE - 1 :]
    return [*told, [sum(namespaces for namespaces, _why in rest), "other reasons"]]


def _owners_of(readings: Sequence[Reading]) -> list[str]:
    """Each owner once, in the order of the readings; those past the bound stay unnamed."""
    return list(dict.fromkeys(reading.owner for reading in readings if reading.owner))[: limits.MAX_OWNERS]


def _columns(readings: Sequence[Reading], owners: Sequence[str]) -> dict[str, bytes]:
    columns = {name: _packed(getattr(reading, name) for reading in readings) for name in COUNTS}
    for state in sorted({state for reading in readings for state in reading.states}):
        columns[state.name] = _packed(reading.states.get(state, 0) for reading in readings)
    if any(reading.failures for reading in readings):
        columns[FAILURES] = _packed(reading.failures for reading in readings)
    if owners:
        number = {owner: index for index, owner in enumerate(owners, start=1)}
        columns[OWNER] = _packed(number.get(reading.owner, 0) for reading in readings)
    if any(reading.knee is not None for reading in readings):
        columns[KNEE] = _packed(KNEES.index(reading.knee) for reading in readings)
    if any(reading.recyclable for reading in readings):
        columns[RECYCLABLE] = _packed(reading.recyclable for reading in readings)
    return columns


def _packed(numbers: Iterable[int]) -> bytes:
    column = array("H", (min(number, HIGHEST_PORT) for number in numbers))
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


# --- decode ----------------------------------------------------------------------------------------------------------


def snapshot_of(document: Mapping[str, Any], *, rows: Sequence[int] | None = None) -> Snapshot:
    """The map as a snapshot, with the readings of these rows. Raises Malformed naming the key, of any row."""
    namespaces = tuple(
        _namespace(item, f"namespaces[{number}]")
        for number, item in enumerate(_list(document, "namespaces", limits.MAX_NAMESPACES))
    )
    if len({namespace.name for namespace in namespaces}) != len(namespaces):
        raise Malformed("namespaces", "two have the same name")
    failure = document.get("failure")
    if failure is not None:
        failure = _text(document, "failure", limits.MAX_FAILURE_CHARS)
    table = _table(document, tuple(namespace.name for namespace in namespaces))
    return Snapshot(
        host=_name(document, "host", HOST),
        boot_id=_name(document, "boot_id", HOST),
        seq=_integer(document, "seq", 0, limits.MAX_SEQ),
        taken_at_ms=_integer(document, "taken_at_ms", 0, limits.MAX_TIME_MS),
        interval_ms=_integer(document, "interval_ms", 1, limits.MAX_INTERVAL_MS),
        agent_version=_text(document, "agent", limits.MAX_NAME_CHARS),
        labels=_labels(document),
        namespaces=namespaces,
        readings=_readings(table, range(len(table.pools)) if rows is None else rows),
        unreadable=tuple(_unreadable(document)),
        evidence=evidence_of(document, table.pools),
        failure=failure,
        machine_id=_machine_id(document),
        state=state_of(document),
        uptime_ms=_integer(document, UPTIME, 0, limits.MAX_TIME_MS) if UPTIME in document else 0,
    )


def _machine_id(document: Mapping[str, Any]) -> str:
    told = document.get(MACHINE_ID, "")
    if told != "" and not (isinstance(told, str) and _MACHINE_ID.match(told)):
        raise Malformed(MACHINE_ID, "32 hex digits are needed")
    return str(told)


def _unreadable(document: Mapping[str, Any]) -> Iterator[Unreadable]:
    if UNREADABLE not in document:
        return
    for number, item in enumerate(_list(document, UNREADABLE, limits.MAX_UNREADABLE)):
        match item:
            case [int(namespaces), str(why)] if (
                0 <= namespaces <= limits.MAX_COUNT and len(why) <= limits.MAX_FAILURE_CHARS and why.isprintable()
            ):
                yield Unreadable(namespaces, why)
            case _:
                raise Malformed(f"{UNREADABLE}[{number}]", "need [how many namespaces, why]")


def known_pools(digest: bytes, namespaces: tuple[str, ...]) -> int | None:
    """How many pools the list of this hash has; None where it is not remembered."""
    pools = _SEEN.get((digest, namespaces))
    return None if pools is None else len(pools)


def remembered_pools(digest: bytes, namespaces: tuple[str, ...]) -> tuple[Pool, ...] | None:
    """The pools of the list of this hash, row by row; None where it is not remembered."""
    return _SEEN.get((digest, namespaces))


def readings_of(
    pools: Sequence[Pool], columns: Mapping[str, bytes], owners: Sequence[str], rows: Iterable[int]
) -> tuple[Reading, ...]:
    """The readings of these rows, from columns that were checked before. `owners` by their number, 0 being nobody."""
    return _readings(_unpacked(pools, columns, owners), rows)


class _Table(NamedTuple):
    """The columns: row n of each is about pool n."""

    pools: Sequence[Pool]
    counts: "tuple[array[int], ...]"
    states: "list[tuple[State, array[int]]]"
    failures: "array[int] | list[int]"
    owner: "array[int] | list[int]"
    knee: "array[int] | list[int]"
    recyclable: "array[int] | list[int]"
    owners: Sequence[str]


def _unpacked(pools: Sequence[Pool], columns: Mapping[str, Any], owners: Sequence[str]) -> _Table:
    counts = tuple(_column(columns, name, len(pools)) for name in COUNTS)
    states = [(_STATE_NAMES[name], _column(columns, name, len(pools))) for name in columns if name in _STATE_NAMES]
    failures, owner, knee, recyclable = (
        _optional_column(columns, name, len(pools)) for name in (FAILURES, OWNER, KNEE, RECYCLABLE)
    )
    return _Table(pools, counts, states, failures, owner, knee, recyclable, owners)


def _table(document: Mapping[str, Any], namespaces: tuple[str, ...]) -> _Table:
    pools = _pools(document, namespaces)
    columns = _map(document, "columns", len(COUNTS) + len(State) + limits.MAX_SETTINGS)
    table = _unpacked(pools, columns, _owners(document))
    held, capacity, low, high = table.counts
    if not all(map(operator.le, low, high)):
        raise Malformed("columns", "a headroom_min is above its headroom_max")
    if not all(map(operator.le, held, capacity)) or not all(map(operator.le, high, capacity)):
        raise Malformed("columns", "a held or headroom_max is above its capacity")
    if max(table.owner, default=0) >= len(table.owners):
        raise Malformed(f"columns.{OWNER}", f"a number is above the {len(table.owners) - 1} owners listed")
    if max(table.knee, default=0) >= len(KNEES):
        raise Malformed(f"columns.{KNEE}", f"a number is above {len(KNEES) - 1}")
    return table


def _readings(table: _Table, rows: Iterable[int]) -> tuple[Reading, ...]:
    held, capacity, low, high = table.counts
    return tuple(
        Reading(
            table.pools[row],
            held[row],
            capacity[row],
            low[row],
            high[row],
            {state: column[row] for state, column in table.states if column[row]},
            table.failures[row],
            table.owners[table.owner[row]],
            KNEES[table.knee[row]],
            table.recyclable[row],
        )
        for row in rows
    )


def _owners(document: Mapping[str, Any]) -> list[str]:
    """The owners by their number; number 0 is nobody."""
    listed = _list({OWNERS: [], **document}, OWNERS, limits.MAX_OWNERS)
    return ["", *(_text({OWNERS: text}, OWNERS, limits.MAX_OWNER_CHARS) for text in listed)]


def _pools(document: Mapping[str, Any], namespaces: tuple[str, ...]) -> tuple[Pool, ...]:
    identities = _list(document, "identities", limits.MAX_POOLS)
    digest = hash_of(identities)
    if _bytes(document, "identities_hash") != digest:
        raise Malformed("identities_hash", "does not match the identities")
    pools = _SEEN.get((digest, namespaces))
    if pools is None:
        pools = tuple(_pool(item, namespaces, f"identities[{row}]") for row, item in enumerate(identities))
        if len(set(pools)) != len(pools):
            raise Malformed("identities", "a pool is named twice")
        _SEEN.put((digest, namespaces), pools)
    return pools


def _pool(item: Any, namespaces: Sequence[str], where: str) -> Pool:
    match item:
        case [int(namespace), int(kind), bytes(local), bytes(peer), int(port)]:
            pass
        case _:
            raise Malformed(where, "need [namespace index, kind, local ip, peer ip, peer port]")
    if not 0 <= namespace < len(namespaces):
        raise Malformed(where, f"no namespace {namespace}")
    if not 0 <= kind < len(KINDS):
        raise Malformed(where, f"no kind {kind}")
    if not (len(local) in _ADDRESS_LENGTHS and len(peer) in _ADDRESS_LENGTHS and 0 <= port <= HIGHEST_PORT):
        raise Malformed(where, "addresses have 0, 4 or 16 bytes, a port 0 to 65535")
    if KINDS[kind] is Kind.CONNECT and (not local or len(local) != len(peer) or not port):
        raise Malformed(where, "a connect pool needs two addresses of one family and a port")
    return Pool(namespaces[namespace], KINDS[kind], fold(local), fold(peer), port)


def _namespace(item: Any, where: str) -> Namespace:
    if not isinstance(item, dict):
        raise Malformed(where, "a map is needed")
    match item.get("range"):
        case [int(low), int(high)]:
            pass
        case _:
            raise Malformed(f"{where}.range", "need [low, high]")
    try:
        port_range = PortRange(low, high)
    except InvalidPorts as error:
        raise Malformed(f"{where}.range", str(error)) from None
    settings = _map(item, "settings", limits.MAX_SETTINGS, where)
    totals = _map(item, "totals", len(State), where)
    return Namespace(
        name=_text(item, "name", limits.MAX_NAME_CHARS, where),
        inode=_integer(item, "inode", 0, 2**64 - 1, where),
        port_range=port_range,
        reserved=_integer(item, "reserved", 0, HIGHEST_PORT, where),
        blocked=_integer(item, "blocked", 0, HIGHEST_PORT, where),
        settings={key: _integer(settings, key, -(2**31), 2**32, f"{where}.settings") for key in settings},
        totals={
            _STATE_NAMES[name]: _integer(totals, name, 0, limits.MAX_COUNT, f"{where}.totals")
            for name in totals
            if name in _STATE_NAMES
        },
        remainder=_remainder(item, where),
        claims=claims_of(item[CLAIMS], where) if CLAIMS in item else None,
    )


def _remainder(item: Mapping[str, Any], where: str) -> Remainder:
    match item.get("remainder"):
        case [int(pools), int(held), int(max_held)] if (
            min(pools, held, max_held) >= 0 and max(pools, held, max_held) <= limits.MAX_COUNT
        ):
            return Remainder(pools, held, max_held)
        case _:
            raise Malformed(f"{where}.remainder", "need [pools, held, max_held]")


def _labels(document: Mapping[str, Any]) -> dict[str, str]:
    labels = _map(document, "labels", limits.MAX_LABELS)
    for key in labels:
        if not LABEL.match(key):
            raise Malformed("labels", f"{key[:40]!r} is not a label name (letters, digits and _)")
    return {key: _text(labels, key, limits.MAX_NAME_CHARS, "labels") for key in labels}


# --- one key each ----------------------------------------------------------------------------------------------------


def _path(where: str, key: str) -> str:
    return f"{where}.{key[:40]}" if where else key[:40]


def _integer(document: Mapping[str, Any], key: str, low: int, high: int, where: str = "") -> int:
    value = document.get(key)
    if type(value) is not int or not low <= value <= high:
        raise Malformed(_path(where, key), f"an integer from {low} to {high} is needed")
    return value


def _text(document: Mapping[str, Any], key: str, most: int, where: str = "") -> str:
    value = document.get(key)
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise Malformed(_path(where, key), f"printable text of at most {most} characters is needed")
    return value


def _name(document: Mapping[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = _text(document, key, limits.MAX_NAME_CHARS)
    if not pattern.match(value):
        raise Malformed(key, "a name of letters, digits and . _ : - is needed")
    return value


def _bytes(document: Mapping[str, Any], key: str, where: str = "") -> bytes:
    value = document.get(key)
    if not isinstance(value, bytes):
        raise Malformed(_path(where, key), "bytes are needed")
    return value


def _list(document: Mapping[str, Any], key: str, most: int) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(key, f"a list of at most {most} is needed")
    return value


def _map(document: Mapping[str, Any], key: str, most: int, where: str = "") -> dict[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict) or len(value) > most or not all(isinstance(name, str) for name in value):
        raise Malformed(_path(where, key), f"a map of at most {most} keys, each a text, is needed")
    return value


def _optional_column(columns: Mapping[str, Any], name: str, length: int) -> "array[int] | list[int]":
    return _column(columns, name, length) if name in columns else [0] * length


def _column(
    columns: Mapping[str, Any], name: str, length: int
) -> "array[int]":  # array is subscriptable at run time from 3.12 on
    data = _bytes(columns, name, "columns")
    if len(data) != 2 * length:
        raise Malformed(f"columns.{name}", f"{2 * length} bytes are needed for {length} pools")
    column = array("H", data)
    if sys.byteorder == "big":
        column.byteswap()
    return column

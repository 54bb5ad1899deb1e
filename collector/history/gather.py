"""Bodies of the hot log as one raw chunk. Pure.

Nothing a snapshot says is dropped: `instants` holds what it says of itself, `namespaces` and `pools` the rest. Columns
are taken as they were packed; there is no loop over readings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np

from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk, Ints, Table
from shared.addresses import fold
from shared.errors import PortgaugeError
from shared.model import Pool
from shared.wire.v1 import COUNTS, FAILURES, KINDS, KNEE, OWNER, OWNERS, RECYCLABLE, SCHEMA, UNREADABLE

INSTANT_COLUMNS = (
    "boot",
    "seq",
    "received",
    "clock",
    "interval",
    "agent",
    "labels",
    "failed",
    "failure",
    "unreadable",
    "machine",
    "uptime",
)
"""boot, agent, labels, failure, unreadable, machine: numbers of texts, 0 for none. `received` and `clock`: how many ms
after taken_ms it was received, and the host's own clock said; that one may be ahead of ours. `uptime`: ms since boot,
0 where it is not told."""
_NAMESPACE = ("inode", "low", "high", "reserved", "blocked", "rest_pools", "rest_held", "rest_max_held")
SETTING, TOTAL = "setting:", "total:"

PoolIds = Mapping[Pool, int]


class Unreadable(PortgaugeError):
    """A stored body that this version cannot read."""


@dataclass(frozen=True, slots=True)
class Body:
    """A snapshot of the log, unpacked. Its pools in the order of its columns."""

    hot_id: int
    taken_ms: int
    received_ms: int
    document: Mapping[str, Any]
    pools: tuple[Pool, ...]


def unpack(hot_id: int, taken_ms: int, received_ms: int, body: bytes, known: dict[Any, tuple[Pool, ...]]) -> Body:
    """Read one body, which was validated when it was received. `known` remembers lists of pools by what names them."""
    try:
        document = msgpack.unpackb(body, raw=False)
        if document["schema"] != SCHEMA:
            raise Unreadable(f"schema {document['schema']!r}")
        names = tuple(namespace["name"] for namespace in document["namespaces"])
        key = (names, document["identities_hash"])
        if key not in known:
            known[key] = tuple(_pool(names, identity) for identity in document["identities"])
        return Body(hot_id, taken_ms, received_ms, document, known[key])
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def gather(bodies: Sequence[Body], ids: PoolIds) -> Chunk:
    """One host's bodies (at least one, in any order) as a chunk. `ids` knows every pool they name."""
    ordered = sorted(bodies, key=lambda body: body.taken_ms)
    texts = _Texts()
    tables = {
        INSTANTS: _instants(ordered, texts),
        NAMESPACES: _namespaces(ordered, texts),
        POOLS: _pools(ordered, ids, texts),
    }
    return Chunk(np.array([body.taken_ms for body in ordered], np.int64), tuple(texts.listed), tables)


@dataclass(slots=True)
class _Texts:
    """Texts by number; 0 is none."""

    numbers: dict[str, int] = field(default_factory=lambda: {"": 0})

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    @property
    def listed(self) -> list[str]:
        return list(self.numbers)


def _pool(names: Sequence[str], identity: Sequence[Any]) -> Pool:
    namespace, kind, local, peer, port = identity
    return Pool(names[namespace], KINDS[kind], fold(local), fold(peer), port)


def _instants(bodies: Sequence[Body], texts: _Texts) -> Table:
    rows = [_instant(body, texts) for body in bodies]
    values = np.array(rows, np.int64).T.reshape(len(INSTANT_COLUMNS), 1, len(bodies))
    return Table(np.zeros(1, np.int64), INSTANT_COLUMNS, np.ones((1, len(bodies)), np.bool_), values)


def _instant(body: Body, texts: _Texts) -> tuple[int, ...]:
    document = body.document
    failure, unreadable = document.get("failure"), document.get(UNREADABLE)
    return (
        texts.number(document["boot_id"]),
        document["seq"],
        body.received_ms - body.taken_ms,
        document["taken_at_ms"] - body.taken_ms,
        document["interval_ms"],
        texts.number(document["agent"]),
        texts.number(json.dumps(document["labels"], sort_keys=True)),
        int(failure is not None),
        texts.number(failure or ""),
        texts.number(json.dumps(unreadable) if unreadable else ""),
        texts.number(document.get("machine_id") or ""),
        document.get("uptime_ms") or 0,
    )


def _namespaces(bodies: Sequence[Body], texts: _Texts) -> Table:
    found: dict[int, dict[int, dict[str, int]]] = {}
    for instant, body in enumerate(bodies):
        for namespace in body.document["namespaces"]:
            found.setdefault(texts.number(namespace["name"]), {})[instant] = _namespace(namespace)
    columns = list(_NAMESPACE)
    seen = {name for rows in found.values() for row in rows.values() for name in row}
    columns += sorted(seen - set(columns))
    keys = sorted(found)
    present = np.zeros((len(keys), len(bodies)), np.bool_)
    values = np.zeros((len(columns), len(keys), len(bodies)), np.int64)
    for row, key in enumerate(keys):
        for instant, facts in found[key].items():
            present[row, instant] = True
            values[:, row, instant] = [facts.get(name, _absent(name)) for name in columns]
    return Table(np.array(keys, np.int64), tuple(columns), present, values)


UNTOLD = -(2**40)
"""A setting that a namespace does not tell, while another does: no sysctl is that small."""


def _absent(name: str) -> int:
    """What a namespace that does not name it means: no socket in that state, or a setting it does not have."""
    return 0 if name.startswith(TOTAL) else UNTOLD


def _namespace(document: Mapping[str, Any]) -> dict[str, int]:
    rest = document["remainder"]
    fixed = (
        document["inode"],
        *document["range"],
        document["reserved"],
        document["blocked"],
        *rest,
    )
    facts = dict(zip(_NAMESPACE, fixed, strict=True))
    facts |= {SETTING + name: value for name, value in document["settings"].items()}
    return facts | {TOTAL + name: value for name, value in document["totals"].items()}


def _pools(bodies: Sequence[Body], ids: PoolIds, texts: _Texts) -> Table:
    keys = np.array(sorted({ids[pool] for body in bodies for pool in body.pools}), np.int64)
    columns = _columns_of(bodies)
    present = np.zeros((len(keys), len(bodies)), np.bool_)
    values = np.zeros((len(columns), len(keys), len(bodies)), np.int64)
    places: dict[int, Ints] = {}
    for instant, body in enumerate(bodies):
        rows = places.get(id(body.pools))  # Bodies that list the same pools share the tuple.
        if rows is None:
            rows = places[id(body.pools)] = np.searchsorted(keys, np.array([ids[pool] for pool in body.pools]))
        present[rows, instant] = True
        packed = body.document["columns"]
        for number, name in enumerate(columns):
            if name in packed:
                values[number, rows, instant] = _column(name, packed[name], body.document, texts)
    return Table(keys, columns, present, values)


def _columns_of(bodies: Sequence[Body]) -> tuple[str, ...]:
    seen = dict.fromkeys(name for body in bodies for name in body.document["columns"])
    states = sorted(name for name in seen if name.isupper())
    return (*COUNTS, *states, *(name for name in (FAILURES, OWNER, KNEE, RECYCLABLE) if name in seen))


def _column(name: str, packed: bytes, document: Mapping[str, Any], texts: _Texts) -> Ints:
    column = np.frombuffer(packed, "<u2").astype(np.int64)
    if name != OWNER:
        return column
    numbers = [0, *(texts.number(owner) for owner in document.get(OWNERS, ()))]
    return np.array(numbers, np.int64)[column]

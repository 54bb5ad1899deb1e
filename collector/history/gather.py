"""Bodies of the hot log as one raw chunk. Pure.

Nothing a snapshot says is dropped: `instants` holds what it says of itself, `namespaces` and `pools` the rest. Columns
are taken as they were packed; there is no loop over readings.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Raw, Struct

from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk, Ints, Table
from collector.packed import PackedNamespace
from shared.addresses import fold
from shared.errors import PortgaugeError
from shared.model import Pool
from shared.tcp import State
from shared.wire.v1 import COUNTS, FAILURES, KINDS, KNEE, OWNER, RECYCLABLE, SCHEMA

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
_STATES = frozenset(state.name for state in State)
_SELDOM = (FAILURES, OWNER, KNEE, RECYCLABLE)
_NEEDED = frozenset(COUNTS)
_COLUMNS = frozenset({*COUNTS, *_STATES, *_SELDOM})

PoolIds = Mapping[Pool, int]


class Unreadable(PortgaugeError):
    """A stored body that this version cannot read."""


class _Namespace(PackedNamespace):
    totals: dict[str, Any]


class _Document(Struct):
    """What history keeps of a body; the list of its pools is looked into only where it was not seen before.

    The wire lets pass totals and columns that it does not know, whatever they are.
    """

    schema: Literal[1]
    boot_id: str
    seq: int
    taken_at_ms: int
    interval_ms: int
    agent: str
    labels: dict[str, str]
    namespaces: list[_Namespace]
    identities: Raw
    identities_hash: bytes
    columns: dict[str, Any]
    failure: str | None = None
    owners: list[str] = []
    machine_id: str = ""
    uptime_ms: int = 0
    unreadable: list[tuple[int, str]] = []


_DECODER = msgspec.msgpack.Decoder(_Document)
_IDENTITIES = msgspec.msgpack.Decoder(list[tuple[int, int, bytes, bytes, int]])
assert SCHEMA == 1  # noqa: S101 - a newer schema needs a reader of its own here


@dataclass(frozen=True, slots=True)
class Body:
    """A snapshot of the log, unpacked. Its pools in the order of its columns."""

    hot_id: int
    taken_ms: int
    received_ms: int
    document: _Document
    pools: tuple[Pool, ...]


def unpack(hot_id: int, taken_ms: int, received_ms: int, body: bytes, known: dict[Any, tuple[Pool, ...]]) -> Body:
    """Read one body, which was validated when it was received. `known` remembers lists of pools by what names them."""
    try:
        document = _DECODER.decode(body)
        names = tuple([namespace.name for namespace in document.namespaces])
        key = (names, document.identities_hash)
        if key not in known:
            known[key] = tuple(_pool(names, identity) for identity in _IDENTITIES.decode(document.identities))
    except (msgspec.MsgspecError, ValueError, IndexError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None
    size, names_kept = 2 * len(known[key]), document.columns.keys() & _COLUMNS
    kept = [document.columns[name] for name in names_kept]
    if not (names_kept >= _NEEDED and all(type(column) is bytes and len(column) == size for column in kept)):
        raise Unreadable("a column is missing, or not as long as the list of pools")
    return Body(hot_id, taken_ms, received_ms, document, known[key])


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

    labels: tuple[Mapping[str, str] | None, int] = (None, 0)
    """Those told last, and their number: hardly any host ever changes them."""

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def number_of_labels(self, labels: Mapping[str, str]) -> int:
        if labels != self.labels[0]:
            self.labels = labels, self.number(json.dumps(labels, sort_keys=True))
        return self.labels[1]

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
    return (
        texts.number(document.boot_id),
        document.seq,
        body.received_ms - body.taken_ms,
        document.taken_at_ms - body.taken_ms,
        document.interval_ms,
        texts.number(document.agent),
        texts.number_of_labels(document.labels),
        int(document.failure is not None),
        texts.number(document.failure or ""),
        texts.number(json.dumps(document.unreadable) if document.unreadable else ""),
        texts.number(document.machine_id),
        document.uptime_ms,
    )


def _namespaces(bodies: Sequence[Body], texts: _Texts) -> Table:
    found: dict[int, dict[int, dict[str, int]]] = {}
    for instant, body in enumerate(bodies):
        for namespace in body.document.namespaces:
            found.setdefault(texts.number(namespace.name), {})[instant] = _namespace(namespace)
    columns = list(_NAMESPACE)
    seen = {name for rows in found.values() for row in rows.values() for name in row}
    columns += sorted(seen - set(columns))
    keys = sorted(found)
    present = np.zeros((len(keys), len(bodies)), np.bool_)
    values = np.zeros((len(columns), len(keys), len(bodies)), np.int64)
    for row, key in enumerate(keys):
        instants, told = list(found[key]), found[key].values()
        present[row, instants] = True
        for number, name in enumerate(columns):
            absent = _absent(name)
            values[number, row, instants] = [facts.get(name, absent) for facts in told]
    return Table(np.array(keys, np.int64), tuple(columns), present, values)


UNTOLD = -(2**40)
"""A setting that a namespace does not tell, while another does: no sysctl is that small."""


def _absent(name: str) -> int:
    """What a namespace that does not name it means: no socket in that state, or a setting it does not have."""
    return 0 if name.startswith(TOTAL) else UNTOLD


def _namespace(namespace: _Namespace) -> dict[str, int]:
    fixed = (
        namespace.inode if namespace.inode < _UNSIGNED // 2 else namespace.inode - _UNSIGNED,
        *namespace.range,
        namespace.reserved,
        namespace.blocked,
        *namespace.remainder,
    )
    facts = dict(zip(_NAMESPACE, fixed, strict=True))
    facts |= {SETTING + name: value for name, value in namespace.settings.items()}
    return facts | {TOTAL + name: value for name, value in namespace.totals.items() if name in _STATES}


_UNSIGNED = 2**64
"""The wire has inodes of 64 bits without a sign, a column has one."""


def _pools(bodies: Sequence[Body], ids: PoolIds, texts: _Texts) -> Table:
    alike: dict[int, list[int]] = defaultdict(list)
    for instant, body in enumerate(bodies):
        alike[id(body.pools)].append(instant)  # Bodies that list the same pools share the tuple.
    keys = np.array(sorted({ids[pool] for some in alike.values() for pool in bodies[some[0]].pools}), np.int64)
    columns = _columns_of(bodies)
    present = np.zeros((len(keys), len(bodies)), np.bool_)
    values = np.zeros((len(columns), len(keys), len(bodies)), np.int64)
    for some in alike.values():
        rows = np.searchsorted(keys, np.array([ids[pool] for pool in bodies[some[0]].pools], np.int64))[:, None]
        present[rows, some] = True
        for number, name in enumerate(columns):
            values[number, rows, some] = _column(name, [bodies[instant].document for instant in some], texts).T
    return Table(keys, columns, present, values)


def _columns_of(bodies: Sequence[Body]) -> tuple[str, ...]:
    seen = {name for body in bodies for name in body.document.columns}
    return (*COUNTS, *sorted(seen & _STATES), *(name for name in _SELDOM if name in seen))


def _column(name: str, documents: Sequence[_Document], texts: _Texts) -> Ints:
    """The numbers of bodies with the same pools: (bodies, pools); zeros where one has no such column."""
    nothing = bytes(len(documents[0].columns[COUNTS[0]]))
    packed = b"".join([document.columns.get(name, nothing) for document in documents])
    column = np.frombuffer(packed, "<u2").reshape(len(documents), -1).astype(np.int64)
    if name != OWNER:
        return column
    return np.stack([_owners(document, texts)[row] for document, row in zip(documents, column, strict=True)])


def _owners(document: _Document, texts: _Texts) -> Ints:
    """The number of each owner's text, by the number that the body has for it."""
    return np.array([0, *(texts.number(owner) for owner in document.owners)], np.int64)

"""Chunks for tests, from lists that read aloud: None is a gap."""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import msgpack
import numpy as np
import zstandard

from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk, Table
from collector.history.gather import SETTING, TOTAL, UNTOLD, gather, unpack
from shared import wire
from shared.model import Namespace, Pool, Reading, Remainder, Snapshot, Unreadable
from shared.ports import PortRange
from shared.tcp import State
from shared.wire.v1 import KNEES
from tests.builders import NOON_MS

Rows = Sequence[Sequence[int | None]]


def a_table(keys: Sequence[int] | None = None, **columns: Rows) -> Table:
    """A row a key, 1, 2, … unless told otherwise; gaps are those of the first column."""
    rows = next(iter(columns.values()))
    present = np.array([[cell is not None for cell in row] for row in rows], np.bool_)
    values = np.array([[[cell or 0 for cell in row] for row in column] for column in columns.values()], np.int64)
    numbers = np.array(keys or range(1, len(rows) + 1), np.int64)
    shaped = values.reshape(len(columns), *present.shape)
    return Table(numbers, tuple(columns), present, np.where(present, shaped, 0))


def a_chunk(
    *,
    keys: Sequence[int] | None = None,
    step_ms: int = 10_000,
    from_ms: int = NOON_MS,
    texts: Sequence[str] = (),
    **columns: Rows,
) -> Chunk:
    """A chunk of pools only, an instant each step from noon on."""
    table = a_table(keys, **columns)
    times = from_ms + np.arange(table.present.shape[1], dtype=np.int64) * step_ms
    return Chunk(times, tuple(texts), {POOLS: table})


def gathered(*snapshots: Snapshot, ids: dict[Pool, int] | None = None, delay_ms: int = 0) -> Chunk:
    """These snapshots as a raw chunk; pools are numbered from 1 in their own order."""
    known: dict[Any, tuple[Pool, ...]] = {}
    taken = [snapshot.taken_at_ms for snapshot in snapshots]
    bodies = [
        unpack(number, at_ms, at_ms + delay_ms, wire.encode(snapshot), known)
        for number, (at_ms, snapshot) in enumerate(zip(taken, snapshots, strict=True), start=1)
    ]
    return gather(bodies, ids or numbered(*snapshots))


def numbered(*snapshots: Snapshot) -> dict[Pool, int]:
    """Every pool of these, numbered from 1."""
    pools = sorted({reading.pool for snapshot in snapshots for reading in snapshot.readings})
    return {pool: number for number, pool in enumerate(pools, start=1)}


def snapshots_of(chunk: Chunk, host: str, pools: dict[int, Pool]) -> list[Snapshot]:
    """What was gathered, as it was said; readings and namespaces in the order of their keys."""
    instants = chunk.tables[INSTANTS]
    return [_snapshot(chunk, instant, host, pools) for instant in range(instants.present.shape[1])]


def _snapshot(chunk: Chunk, instant: int, host: str, pools: dict[int, Pool]) -> Snapshot:
    facts = _facts(chunk.tables[INSTANTS], 0, instant)
    text = {name: chunk.texts[facts[name]] for name in ("boot", "agent", "labels", "failure", "unreadable", "machine")}
    listed = {name: [row for row in range(len(t.keys)) if t.present[row, instant]] for name, t in chunk.tables.items()}
    return Snapshot(
        host=host,
        boot_id=text["boot"],
        seq=facts["seq"],
        taken_at_ms=int(chunk.times[instant]) + facts["clock"],
        agent_version=text["agent"],
        interval_ms=facts["interval"],
        labels=json.loads(text["labels"]),
        namespaces=tuple(_namespace(chunk, row, instant) for row in listed[NAMESPACES]),
        readings=tuple(_reading(chunk, row, instant, pools) for row in listed[POOLS]),
        unreadable=tuple(Unreadable(*one) for one in json.loads(text["unreadable"] or "[]")),
        failure=text["failure"] if facts["failed"] else None,
        machine_id=text["machine"],
        uptime_ms=facts["uptime"],
    )


def _facts(table: Table, row: int, instant: int) -> dict[str, int]:
    return dict(zip(table.columns, table.values[:, row, instant].tolist(), strict=True))


def _namespace(chunk: Chunk, row: int, instant: int) -> Namespace:
    table = chunk.tables[NAMESPACES]
    facts = _facts(table, row, instant)
    settings = {name.removeprefix(SETTING): facts[name] for name in facts if name.startswith(SETTING)}
    totals = {State[name.removeprefix(TOTAL)]: facts[name] for name in facts if name.startswith(TOTAL)}
    return Namespace(
        name=chunk.texts[table.keys[row]],
        inode=facts["inode"],
        port_range=PortRange(facts["low"], facts["high"]),
        reserved=facts["reserved"],
        blocked=facts["blocked"],
        settings={name: value for name, value in settings.items() if value != UNTOLD},
        totals={state: count for state, count in totals.items() if count},
        remainder=Remainder(facts["rest_pools"], facts["rest_held"], facts["rest_max_held"]),
    )


def _reading(chunk: Chunk, row: int, instant: int, pools: dict[int, Pool]) -> Reading:
    table = chunk.tables[POOLS]
    facts = _facts(table, row, instant)
    states = {State[name]: facts[name] for name in facts if name.isupper() and facts[name]}
    owner, knee = chunk.texts[facts.get("owner", 0)], KNEES[facts.get("knee", 0)]
    return Reading(
        pools[int(table.keys[row])],
        facts["held"],
        facts["capacity"],
        facts["headroom_min"],
        facts["headroom_max"],
        states,
        facts.get("failures", 0),
        owner,
        knee,
        facts.get("recyclable", 0),
    )


def with_rows_unreadable(body: bytes) -> bytes:
    """The chunk with codes that no row has: it opens, its checksum is right, and its pools cannot be read."""
    size = struct.unpack_from("<I", body, 16)[0]
    document = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(body[20 : 20 + size]))
    pools = document["tables"][POOLS]
    pools["codes"] = b"\x05" * len(pools["codes"])
    header = zstandard.ZstdCompressor().compress(msgpack.packb(document))
    rest = body[12:16] + struct.pack("<I", len(header)) + header + body[20 + size :]
    return struct.pack("<4sII", body[:4], zlib.crc32(rest), len(rest)) + rest

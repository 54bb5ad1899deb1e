"""What applications logged, as rows of the wire: [pool, program, text, count, last_at_ms].

A pool is the number of its row among the identities, counted from 1; 0 where it could not be told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared import limits
from shared.model import Evidence, Pool, Snapshot
from shared.wire.errors import Malformed

EVIDENCE = "evidence"


def rows_of(snapshot: Snapshot) -> list[list[Any]]:
    """The evidence of a snapshot, at most as much as a collector accepts; a pool that is not listed becomes 0."""
    number = {reading.pool: row for row, reading in enumerate(snapshot.readings, start=1)}
    return [
        [
            number.get(one.pool, 0) if one.pool else 0,
            one.program[: limits.MAX_NAME_CHARS],
            one.text[: limits.MAX_EVIDENCE_CHARS],
            min(one.count, limits.MAX_COUNT),
            one.last_at_ms,
        ]
        for one in snapshot.evidence[: limits.MAX_EVIDENCE]
    ]


def evidence_of(document: Mapping[str, Any], pools: Sequence[Pool]) -> tuple[Evidence, ...]:
    """The evidence of a document, none where it says nothing of it. Raises Malformed."""
    rows = document.get(EVIDENCE, [])
    if not isinstance(rows, list) or len(rows) > limits.MAX_EVIDENCE:
        raise Malformed(EVIDENCE, f"a list of at most {limits.MAX_EVIDENCE} is needed")
    return tuple(_read(rows, pools))


def _read(rows: Sequence[Any], pools: Sequence[Pool]) -> Iterator[Evidence]:
    for row, item in enumerate(rows):
        match item:
            case [int(pool), str(program), str(text), int(count), int(last_at_ms)] if (
                0 <= pool <= len(pools)
                and _is_text(program, limits.MAX_NAME_CHARS)
                and _is_text(text, limits.MAX_EVIDENCE_CHARS)
                and 0 <= count <= limits.MAX_COUNT
                and 0 <= last_at_ms <= limits.MAX_TIME_MS
            ):
                yield Evidence(pools[pool - 1] if pool else None, program, text, count, last_at_ms)
            case _:
                raise Malformed(f"{EVIDENCE}[{row}]", "need [number of a pool, program, text, count, last_at_ms]")


def _is_text(value: str, most: int) -> bool:
    return len(value) <= most and value.isprintable()

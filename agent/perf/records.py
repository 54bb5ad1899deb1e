"""Reading a perf ring buffer: what lies between its two marks, record by record. Pure.

    perf_event_header: u32 type, u16 misc, u16 size (with the header, a multiple of 8)
    PERF_RECORD_SAMPLE (9) with TID | TIME | RAW: u32 pid, u32 tid, u64 time, u32 raw size, raw

Source: linux/perf_event.h; the marks count bytes since the start and are taken modulo the ring's size. Other records
are passed over, PERF_RECORD_LOST among them: it is written only when the next hit finds room, perhaps never, while
the event's own counter tells a loss at once (agent.perf.ring).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from agent.perf.errors import PerfMalformed

RECORD_SAMPLE = 9
_HEADER = struct.Struct("=IHH")
_SAMPLE = struct.Struct("=IIQI")


class Sample(NamedTuple):
    """One hit: process and thread as our pid namespace numbers them (0: not in it), monotonic time, the raw fields."""

    pid: int
    tid: int
    time_ns: int
    raw: bytes


def unread(data: memoryview, head: int, tail: int) -> bytes:
    """The bytes from mark `tail` to mark `head`, made contiguous where they wrap around the ring's end.

    Raises PerfMalformed where the marks lie further apart than the ring is long.
    """
    size = len(data)
    if not 0 <= head - tail <= size:
        raise PerfMalformed(tail, head - tail, size)
    start, stop = tail % size, tail % size + head - tail
    return bytes(data[start:stop]) + bytes(data[: max(0, stop - size)])


def samples(flat: bytes) -> Iterator[Sample]:
    """Every sample, in order. Raises PerfMalformed."""
    at = 0
    while at < len(flat):
        left = len(flat) - at
        if left < _HEADER.size:
            raise PerfMalformed(at, _HEADER.size, left)
        kind, _misc, size = _HEADER.unpack_from(flat, at)
        if not _HEADER.size <= size <= left:
            raise PerfMalformed(at, size, left)
        if kind == RECORD_SAMPLE:
            yield _sample(flat, at + _HEADER.size, at + size)
        at += size


def _sample(flat: bytes, at: int, stop: int) -> Sample:
    if stop - at < _SAMPLE.size:
        raise PerfMalformed(at, _SAMPLE.size, stop - at)
    pid, tid, time_ns, raw_size = _SAMPLE.unpack_from(flat, at)
    at += _SAMPLE.size
    if raw_size > stop - at:
        raise PerfMalformed(at, raw_size, stop - at)
    return Sample(pid, tid, time_ns, flat[at : at + raw_size])

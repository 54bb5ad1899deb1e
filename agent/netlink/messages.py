"""Walking a netlink answer: where in a buffer the socket records begin. Pure.

A dump is a stream of messages, `nlmsghdr` (u32 length, u16 type, u16 flags, u32 seq, u32 pid) and a body, each padded
to 4 bytes. Records of equal length often lie next to each other by the hundred; such a run is found with a few slices
instead of a loop, and C code (struct.iter_unpack) may then read it whole.
"""

import struct
from collections.abc import Iterator

from agent.netlink.errors import DumpInterrupted, DumpRefused, DumpTruncated

HEADER_BYTES = 16
RECORD_BYTES = HEADER_BYTES + 72
"""The least a socket record can have: nlmsghdr and inet_diag_msg without attributes."""
NLMSG_ERROR = 2
NLMSG_DONE = 3
DONE_BYTES = 20
NLM_F_DUMP_INTR = 0x10
ONE_BYTE = 256
LOOK_AHEAD = 16
HEADER_SIGNATURE = (0, 1, 4, 5, 6)
"""Bytes of a header that two records of one length share: length (2), type (2), flags."""
_HEADER = struct.Struct("=IHH8x")
_STATUS = struct.Struct("=i")
_LENGTH = struct.Struct("=I")
_TYPE = struct.Struct("=H")
_LENGTH_AND_TYPE = struct.Struct("=IH")


Offsets = range | list[int]
"""Where records begin. A range: all are `step` bytes long; a list: lengths differ."""


def ends_dump(buffer: memoryview, start: int, stop: int) -> bool:
    """Whether what one receive put at start..stop is the last of a dump, without walking it.

    The kernel appends DONE to the last full message, or sends DONE or an error alone (af_netlink.c, netlink_dump).
    """
    if stop - start < HEADER_BYTES:
        return True
    alone = _TYPE.unpack_from(buffer, start + 4)[0] in (NLMSG_ERROR, NLMSG_DONE)
    return alone or _LENGTH_AND_TYPE.unpack_from(buffer, stop - DONE_BYTES) == (DONE_BYTES, NLMSG_DONE)


def records(buffer: bytes | memoryview) -> Iterator[Offsets]:
    """Where the socket records of a buffer of whole messages begin, stretch by stretch, in order.

    Raises DumpRefused for an error the kernel sent, DumpTruncated for a message longer than the buffer or a record
    shorter than RECORD_BYTES, DumpInterrupted where the kernel says that the table changed under the dump.
    """
    flat, at = bytes(buffer), 0  # Slicing bytes with a step is 7 times faster than slicing a memoryview so.
    while at < len(flat):
        length = _record_length(flat, at)
        if length is None:
            return
        count = _repeats(flat, at, length)
        if count >= LOOK_AHEAD:
            yield range(at, at + count * length, length)
            at += count * length
        else:
            scattered = _walk(flat, at, LOOK_AHEAD)
            yield scattered
            at = scattered[-1] + _LENGTH.unpack_from(flat, scattered[-1])[0]


def _walk(flat: bytes, at: int, most: int) -> list[int]:
    """Up to `most` records from `at` on, header by header."""
    offsets: list[int] = []
    while at < len(flat) and len(offsets) < most:
        length = _record_length(flat, at)
        if length is None:
            break
        offsets.append(at)
        at += length
    return offsets


def _record_length(flat: bytes, at: int) -> int | None:
    """The length of the record at `at`; None at the end of the dump."""
    available = len(flat) - at
    if available < HEADER_BYTES:
        raise DumpTruncated(at, HEADER_BYTES, available)
    length, kind, flags = _HEADER.unpack_from(flat, at)
    if kind in (NLMSG_DONE, NLMSG_ERROR):
        _check_status(flat, at, length)
        return None
    if flags & NLM_F_DUMP_INTR:
        raise DumpInterrupted("the socket table changed under the dump")
    if length < RECORD_BYTES or length > available or length % 4:
        raise DumpTruncated(at, max(length, RECORD_BYTES), available)
    return int(length)


def _check_status(flat: bytes, at: int, length: int) -> None:
    """DONE and ERROR carry an int: 0, or minus an errno."""
    if length < DONE_BYTES or len(flat) - at < DONE_BYTES:
        raise DumpTruncated(at, DONE_BYTES, min(length, len(flat) - at))
    (code,) = _STATUS.unpack_from(flat, at + HEADER_BYTES)
    if code < 0:
        raise DumpRefused(-code)


def _repeats(flat: bytes, at: int, length: int) -> int:
    """How many records from `at` on begin with the same length, type and flags, at least 1.

    Looks at a few bytes of each header, `length` apart: where they repeat and lengths stay below 256, the next header
    is one stride on, so by induction each byte looked at is a header's. Looks a little ahead first: in a mixed table
    most runs are short.
    """
    if length >= ONE_BYTE:
        return 1
    most = (len(flat) - at) // length
    if most > LOOK_AHEAD and _alike(flat, at, length, LOOK_AHEAD) < LOOK_AHEAD:
        return 1
    return _alike(flat, at, length, most)


def _alike(flat: bytes, at: int, length: int, most: int) -> int:
    stop = at + most * length
    for offset in HEADER_SIGNATURE:
        column = flat[at + offset : stop : length]
        if column.count(column[0]) != len(column):
            most = min(most, len(column) - len(column.lstrip(column[:1])))
    return most

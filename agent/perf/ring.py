"""One tracepoint on one CPU: its file descriptor and the ring buffer that the kernel writes hits into. The edge."""

import mmap
import os
import struct
from collections.abc import Iterator

from agent.perf import syscalls
from agent.perf.records import Sample, samples, unread
from agent.perf.request import every_hit

DATA_PAGES = 32
"""128 KiB a CPU, some 1,200 hits: within perf_event_mlock_kb (516 KiB a CPU), so no further privilege is needed."""
_MARK = struct.Struct("=Q")
_COUNT = struct.Struct("=Q")
_HEAD, _TAIL = 1024, 1032
_HEAD_WORD, _TAIL_WORD = _HEAD // 8, _TAIL // 8
"""Where struct perf_event_mmap_page keeps data_head and data_tail: bytes written and bytes read since the start."""


class Ring:
    """The hits of one tracepoint on one CPU that pass a filter. For one thread at a time."""

    def __init__(self, event_id: int, cpu: int, expression: str) -> None:
        """Open, filter, map, then enable, so that nothing unfiltered is ever written. Raises OSError."""
        self._fd = syscalls.perf_event_open(every_hit(event_id, watermark=DATA_PAGES * mmap.PAGESIZE // 2), cpu)
        try:
            syscalls.set_filter(self._fd, expression)
            self._map = mmap.mmap(self._fd, (1 + DATA_PAGES) * mmap.PAGESIZE)
            syscalls.enable(self._fd)
        except OSError:
            os.close(self._fd)
            raise
        self._page = memoryview(self._map)
        self._data = self._page[mmap.PAGESIZE :]
        self._words = self._page[: mmap.PAGESIZE].cast("Q")

    def close(self) -> None:
        """Stop, and give memory and descriptor back."""
        self._words.release()
        self._data.release()
        self._page.release()
        self._map.close()
        os.close(self._fd)

    def hits(self) -> int:
        """How many hits passed the filter since the start, written or lost: exact even while the ring is full."""
        (count,) = _COUNT.unpack(os.read(self._fd, _COUNT.size))
        return int(count)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written since the last drain; costs no system call."""
        return bool(self._words[_HEAD_WORD] == self._words[_TAIL_WORD])

    def drain(self) -> Iterator[Sample]:
        """What was written since the last drain. Raises PerfMalformed; what was unread is given up then, too."""
        (head,) = _MARK.unpack_from(self._page, _HEAD)
        (tail,) = _MARK.unpack_from(self._page, _TAIL)
        os.getppid()  # Into the kernel and back: no load of a record may be done before that of the mark above.
        try:
            flat = unread(self._data, head, tail)
        finally:
            _MARK.pack_into(self._page, _TAIL, head)
        return samples(flat)

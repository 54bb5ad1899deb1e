"""The question to perf_event_open has the bytes that linux/perf_event.h asks for."""

import struct

from agent.perf.request import every_hit


def test_each_number_lies_where_the_kernel_reads_it() -> None:
    attr = every_hit(2287, watermark=65_536)

    assert len(attr) == 112
    assert struct.unpack_from("=IIQQQQQI", attr) == (
        2,
        112,
        2287,
        1,
        0x2 | 0x4 | 0x400,
        0,
        1 | 1 << 14 | 1 << 25,
        65_536,
    )
    assert struct.unpack_from("=i", attr, 92) == (1,)

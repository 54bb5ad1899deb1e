"""What perf_event_open(2) is asked, as bytes: struct perf_event_attr of linux/perf_event.h, version 5. Pure.

 0 u32 type    4 u32 size     8 u64 config         16 u64 sample_period   24 u64 sample_type   32 u64 read_format
40 u64 flags  48 u32 wakeup  52 u32 bp_type        56 u64 config1         64 u64 config2       72 u64 branch
80 u64 regs   88 u32 stack   92 s32 clockid        96 u64 regs_intr      104 u32 aux_watermark 108 u16 max_stack
"""

import struct

TYPE_TRACEPOINT = 2
SAMPLE_TID, SAMPLE_TIME, SAMPLE_RAW = 0x2, 0x4, 0x400
FLAG_DISABLED, FLAG_WATERMARK, FLAG_USE_CLOCKID = 1 << 0, 1 << 14, 1 << 25
CLOCK_MONOTONIC = 1
"""A tracepoint may fire in an NMI, so the kernel refuses CLOCK_REALTIME."""
_ATTR = struct.Struct("=IIQQQQQIIQQQQIiQIHH")


def every_hit(event_id: int, *, watermark: int) -> bytes:
    """Sample each hit of a tracepoint: who (pid, tid), when (monotonic ns), and the raw fields. Starts disabled.

    Readers are woken at `watermark` bytes: we read by the clock, and a wake-up a hit would cost an interrupt a hit.
    """
    return _ATTR.pack(
        TYPE_TRACEPOINT,
        _ATTR.size,
        event_id,
        1,
        SAMPLE_TID | SAMPLE_TIME | SAMPLE_RAW,
        0,
        FLAG_DISABLED | FLAG_WATERMARK | FLAG_USE_CLOCKID,
        watermark,
        *(0, 0, 0, 0, 0, 0),
        CLOCK_MONOTONIC,
        *(0, 0, 0, 0),
    )

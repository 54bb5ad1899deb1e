"""Events and ring records as the kernel writes them, for tests of what reads them."""

import struct

from agent.perf.records import RECORD_SAMPLE
from shared.addresses import V4_BYTES, V4_MAPPED_PREFIX, parse_ip

FORMAT = """\
name: inet_sock_set_state
ID: 2287
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;
\tfield:int newstate;\toffset:20;\tsize:4;\tsigned:1;
\tfield:__u16 sport;\toffset:24;\tsize:2;\tsigned:0;
\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;
\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;
\tfield:__u16 protocol;\toffset:30;\tsize:2;\tsigned:0;
\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;
\tfield:__u8 daddr[4];\toffset:36;\tsize:4;\tsigned:0;
\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;
\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;

print fmt: "family=%s protocol=%s sport=%hu dport=%hu", REC->family, REC->protocol, REC->sport, REC->dport
"""
"""As Linux 6.18 has it."""


def an_event(local: str = "127.0.0.1", peer: str = "127.0.0.1", port: int = 9001, *, family: int = 2) -> bytes:
    """The raw fields of one failed connect(), laid out as FORMAT says."""
    source, target = parse_ip(local), parse_ip(peer)
    return struct.pack(
        "=HBBiQiiHHHH4s4s16s16s",
        *(2287, 0, 0, 77, 0xFFFF_8880_0000_0000, 2, 7, 0, port, family, 6),
        *(source[:V4_BYTES], target[:V4_BYTES]),
        *(one if len(one) > V4_BYTES else V4_MAPPED_PREFIX + one for one in (source, target)),
    )


def a_sample(raw: bytes, *, pid: int = 77, tid: int = 78, time_ns: int = 5_000_000) -> bytes:
    """One PERF_RECORD_SAMPLE around raw fields, padded to 8 bytes as the kernel pads them."""
    padded = raw + bytes(-(4 + len(raw)) % 8)
    return a_record(RECORD_SAMPLE, struct.pack("=IIQI", pid, tid, time_ns, len(padded)) + padded)


def a_record(kind: int, body: bytes) -> bytes:
    """One record of any type."""
    return struct.pack("=IHH", kind, 0, 8 + len(body)) + body

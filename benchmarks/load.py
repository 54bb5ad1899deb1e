"""A fleet's pushes: the same pools as portgauge bodies and as Prometheus remote-write, and kept-alive senders of them.

A body is encoded once a host; what changes from push to push (seq, time, the held column) is patched in, so that the
generator costs less than what it measures.
"""

import asyncio
import random
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field

from shared import wire
from shared.addresses import parse_ip
from shared.model import Kind, Namespace, Pool, Reading, Snapshot
from shared.ports import PortRange
from shared.tcp import State

CAPACITY = 28_232
STATES = (State.ESTABLISHED, State.TIME_WAIT, State.SYN_SENT, State.FIN_WAIT1, State.FIN_WAIT2, State.CLOSE_WAIT)
_SEQ, _TAKEN = 2**52 + 1, 2**52 + 2
"""Placeholders that msgpack packs as nine bytes, as it does every number they are replaced with."""
FIRST_SEQ = 2**33
_SAMPLE = b"\xff<sample>\xff"
"""Where a sample begins; its length depends on its time."""


def a_report(host: str, pools: int, chance: random.Random) -> Snapshot:
    """A load balancer's: one local address, `pools` backends, six states each."""
    return Snapshot(
        host=host,
        boot_id="0b7c1f4e-6f0e-4f5c-9e2c-0f2f5f1c6f11",
        seq=_SEQ,
        taken_at_ms=_TAKEN,
        agent_version="0.1.0",
        interval_ms=10_000,
        labels={"role": "edge", "site": "fra1"},
        namespaces=(
            Namespace(
                name="host",
                inode=4_026_531_840,
                port_range=PortRange(32_768, 60_999),
                reserved=0,
                blocked=0,
                settings={"tcp_tw_reuse": 2, "tcp_fin_timeout": 60, "tcp_timestamps": 1, "ip_nonlocal_bind": 0},
                totals={State.ESTABLISHED: 40_000, State.TIME_WAIT: 3_000},
            ),
        ),
        readings=tuple(_reading(number, chance) for number in range(pools)),
        machine_id=f"{chance.getrandbits(128):032x}",
        uptime_ms=86_400_000,
    )


def _reading(number: int, chance: random.Random) -> Reading:
    pool = Pool("host", Kind.CONNECT, parse_ip("10.0.3.7"), parse_ip(f"10.1.{number % 200}.21"), 8000 + number)
    held = chance.randrange(200, 8_000)
    parts = [max(1, held * share // 100) for share in (80, 15, 1, 1, 1, 2)]
    return Reading(pool, held, CAPACITY, CAPACITY - held, CAPACITY - held, dict(zip(STATES, parts, strict=True)))


class Body:
    """One host's body, and where in it the changing numbers stand."""

    def __init__(self, host: str, pools: int = 50, seed: int = 1) -> None:
        chance = random.Random(f"{host} {seed}")
        self.report = a_report(host, pools, chance)
        self._bytes = bytearray(wire.encode(self.report))
        self._seq = self._bytes.index(struct.pack(">BQ", 0xCF, _SEQ)) + 1
        self._taken = self._bytes.index(struct.pack(">BQ", 0xCF, _TAKEN)) + 1
        self._held = self._bytes.index(b"\xa4held\xc4") + 7

    def of(self, host: str) -> "Body":
        """The same of another host, whose name is as long: nothing is encoded anew."""
        other = copy(self)
        other._bytes = self._bytes.replace(self.report.host.encode(), host.encode(), 1)  # noqa: SLF001 - our own
        return other

    def at(self, seq: int, taken_at_ms: int) -> bytes:
        """The body of this report; each pool's held wanders by up to sixteen ports around where it was."""
        struct.pack_into(">Q", self._bytes, self._seq, FIRST_SEQ + seq)
        struct.pack_into(">Q", self._bytes, self._taken, taken_at_ms)
        held = self._held + 2 * (seq % len(self.report.readings)) if len(self.report.readings) < 128 else 0
        if held:
            self._bytes[held] ^= seq & 0x0F
        return bytes(self._bytes)


def push(body: bytes, token: str) -> bytes:
    """As an agent sends it."""
    return (
        f"POST /v1/snapshots HTTP/1.1\r\nHost: collector:8766\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {wire.CONTENT_TYPE}\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
        f"User-Agent: Python/3.11 aiohttp/3.12\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


# --- Prometheus remote-write -----------------------------------------------------------------------------------------


def series_of(report: Snapshot, values: int) -> list[bytes]:
    """Each pool's series without its time: one a pool (held), or one each for its first `values` states."""
    return [
        _labels(report.host, reading, name) + _SAMPLE + struct.pack("<d", value)
        for reading in report.readings
        for name, value in _values(reading, values)
    ]


def remote_write(series: Iterable[bytes], at_ms: int) -> bytes:
    """A request of these series, each with its sample at `at_ms`."""
    time = b"\x10" + _varint(at_ms)
    length = 9 + len(time)
    made = [one.replace(_SAMPLE, b"\x12" + bytes([length]) + b"\x09", 1) + time for one in series]
    body = _as_snappy(b"".join(_field(1, one) for one in made))
    return (
        "POST /api/v1/write HTTP/1.1\r\nHost: prometheus:9090\r\nContent-Encoding: snappy\r\n"
        "Content-Type: application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n"
        f"User-Agent: load/1\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _values(reading: Reading, values: int) -> Iterable[tuple[str, int]]:
    if values == 1:
        return [("held", reading.held)]
    return [(state.name, count) for state, count in list(reading.states.items())[:values]]


def _labels(host: str, reading: Reading, name: str) -> bytes:
    labels = {
        "__name__": f"portgauge_{name.lower()}",
        "host": host,
        "local": reading.pool.local_ip,
        "netns": "host",
        "peer": f"{reading.pool.peer_ip}:{reading.pool.peer_port}",
        "role": "edge",
    }
    return b"".join(_field(1, _field(1, key.encode()) + _field(2, text.encode())) for key, text in labels.items())


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _as_snappy(data: bytes) -> bytes:
    """Valid snappy of literals only: the least work for whoever reads it, so the comparison errs to its advantage."""
    parts = [data[at : at + 60_000] for at in range(0, len(data), 60_000)]
    return _varint(len(data)) + b"".join(b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in parts)


# --- senders ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Told:
    """What came of the requests of one run. Latencies are seconds."""

    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)

    def add(self, status: int, latency_s: float) -> None:
        """One answer more."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies_s.append(latency_s)

    def add_all(self, other: "Told") -> None:
        """Those of another process."""
        self.latencies_s += other.latencies_s
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count

    def p99_ms(self) -> float:
        """Of all answers."""
        ordered = sorted(self.latencies_s)
        return ordered[len(ordered) * 99 // 100] * 1000 if ordered else 0.0


class Sender(asyncio.Protocol):
    """A kept-alive connection: sends what it is given, tells each answer."""

    def __init__(self, told: Callable[[int, float], None]) -> None:
        self._told, self._sent_s, self._received = told, 0.0, b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Status 0."""
        if self._sent_s:
            self._told(0, 0.0)
        del exc

    def send(self, request: bytes) -> None:
        """One at a time."""
        self._sent_s = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """An answer, or part of one."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        _, found, rest = head.lower().partition(b"content-length: ")
        if found and len(body) < int(rest.split(b"\r\n")[0]):
            return
        latency_s, self._sent_s, self._received = time.perf_counter() - self._sent_s, 0.0, b""
        self._told(int(head[9:12]), latency_s)


async def as_fast_as_answered(host: str, port: int, streams: Sequence[Iterator[bytes]]) -> Told:
    """Each stream's requests one after another on a connection of its own."""
    told = Told()

    async def one(stream: Iterator[bytes]) -> None:
        answered = asyncio.Event()

        def note(status: int, latency_s: float) -> None:
            told.add(status, latency_s)
            answered.set()

        _, sender = await asyncio.get_running_loop().create_connection(lambda: Sender(note), host, port)
        for request in stream:
            answered.clear()
            sender.send(request)
            await answered.wait()
        sender.transport.close()

    await asyncio.gather(*(one(stream) for stream in streams))
    return told

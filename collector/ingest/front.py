"""One connection, as it arrives: pushes are read from its bytes, anything else is handed to aiohttp, for good.

A push costs a tenth this way of what it does through a web framework, and a fleet sends little else. One push at a
time: what a client sends ahead of its answer waits.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import cast

from collector.ingest.desk import Answer, Desk
from collector.ingest.request import PushHead, may_become, parse
from shared.limits import MAX_BODY_BYTES

READ_S = 30
"""A body of 1 MiB takes 30 s at 280 kbit/s; whoever is slower holds room that others need."""
MOST_AHEAD = MAX_BODY_BYTES + 64 * 1024
_END = b"\r\n\r\n"
_REASONS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


@lru_cache(maxsize=64)
def _as_sent(answer: Answer, *, is_last: bool) -> bytes:
    """The answer's bytes; nearly all answers of a fleet are one."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    if is_last:
        headers += "Connection: close\r\n"
    head = f"{headers}Content-Length: {len(answer.body)}\r\n\r\n".encode()
    return _REASONS[answer.status] + head + answer.body


class Front(asyncio.Protocol):
    """Reads pushes until something else comes."""

    def __init__(self, desk: Desk, otherwise: Callable[[], asyncio.Protocol]) -> None:
        self._desk, self._otherwise = desk, otherwise
        self._received = bytearray()
        self._head: PushHead | None = None
        self._before: tuple[bytes, PushHead | None] = (b"", None)
        self._refusal: Answer | None = None
        self._left = 0
        self._is_waiting = self._is_closing = self._is_paused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # create_server makes no other; those of uvloop are none by their class.
        self._transport = cast("asyncio.Transport", transport)
        self._desk.fronts.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more; what is under way is kept all the same."""
        del exc
        self._forget()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._received += data
        if not self._is_waiting:
            self._read()
        elif len(self._received) > MOST_AHEAD:
            self._is_paused = True
            self._transport.pause_reading()

    def close(self) -> None:
        """End as soon as nothing is under way."""
        self._is_closing = True
        if not self._is_waiting:
            self._transport.close()

    def _read(self) -> None:
        if self._head is None and not self._read_head():
            return
        head, received = self._head, self._received
        if head is None:
            return
        if self._refusal:
            self._skip()
        elif len(received) >= head.length:
            body = bytes(received[: head.length])
            del received[: head.length]
            self._begin_waiting()
            self._desk.take(head, body, self._answer)
        else:
            self._start_clock()

    def _read_head(self) -> bool:
        end = self._received.find(_END)
        head = self._parsed(bytes(self._received[:end])) if end >= 0 else None
        if head is None:
            if end >= 0 or not may_become(bytes(self._received)):
                self._hand_over()
            else:
                self._start_clock()
            return False
        del self._received[: end + len(_END)]
        self._head, self._left = head, head.length
        self._refusal = self._desk.admit(head)
        return True

    def _parsed(self, text: bytes) -> PushHead | None:
        """An agent's heads are the same, push after push, while its bodies are as long."""
        before, head = self._before
        if text != before:
            head = parse(text)
            self._before = (text, head)
        return head

    def _skip(self) -> None:
        """Let a body pass that there is no room for, then say so; the connection is worth keeping."""
        passing = min(self._left, len(self._received))
        del self._received[:passing]
        self._left -= passing
        if self._left:
            self._start_clock()
            return
        refusal, self._refusal = self._refusal, None
        self._begin_waiting()
        if refusal:
            self._answer(refusal)

    def _begin_waiting(self) -> None:
        self._head, self._is_waiting = None, True
        self._stop_clock()

    def _answer(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_as_sent(answer, is_last=self._is_closing))
        self._is_waiting = False
        if self._is_closing:
            self._transport.close()
            return
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self._received:
            self._read()

    def _hand_over(self) -> None:
        self._forget()
        handler = self._otherwise()
        self._transport.set_protocol(handler)
        handler.connection_made(self._transport)
        handler.data_received(bytes(self._received))
        self._received.clear()

    def _forget(self) -> None:
        self._stop_clock()
        if self._head and not self._refusal:
            self._desk.give_up(self._head)
        self._head = self._refusal = None
        self._desk.fronts.discard(self)

    def _start_clock(self) -> None:
        if (self._received or self._head) and not self._deadline:
            self._deadline = asyncio.get_running_loop().call_later(READ_S, self._transport.abort)

    def _stop_clock(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

"""The netlink socket: sends a question, hands out the answer in large buffers. The edge to the kernel."""

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from agent.netlink.errors import DumpInterrupted, DumpRefused
from agent.netlink.messages import ends_dump

NETLINK_SOCK_DIAG = 4
RECEIVE_BYTES = 64 * 1024
"""The kernel never fills more than 32 KiB a receive, whatever the buffer."""
BATCH_BYTES = 96 * 1024
"""Receives are handed out together past this size: four at a time parse faster than one, eight leave the cache."""
PATIENCE_S = 10


class SockDiag:
    """A sock_diag socket of the network namespace that the opening thread is in. Not for use by two threads at once."""

    loss: str = ""
    """What a list of another origin lacks, said to a person; nothing here."""

    def __init__(self) -> None:
        """Raise DumpRefused where the kernel or a seccomp filter has no netlink for us."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
        except OSError as error:
            raise DumpRefused(error.errno or 0) from error
        self._socket.settimeout(PATIENCE_S)
        self._buffer = memoryview(bytearray(BATCH_BYTES + RECEIVE_BYTES))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._socket.close()

    def dump(self, request: bytes) -> Iterator[memoryview]:
        """The answer to one request, as buffers of whole messages, each valid until the next is asked for.

        Must be read to its end. Raises DumpInterrupted when the kernel falls silent, DumpRefused when it will not take
        the request; errors inside the answer are for the reader (agent.netlink.messages) to raise.
        """
        try:
            self._socket.send(request)
            done = False
            while not done:
                filled, done = self._receive_batch()
                yield self._buffer[:filled]
        except TimeoutError:
            raise DumpInterrupted(f"no answer for {PATIENCE_S} s") from None
        except OSError as error:
            raise DumpRefused(error.errno or 0) from error

    def _receive_batch(self) -> tuple[int, bool]:
        """Receive until the batch is full or the dump ends: (bytes, whether it ended)."""
        filled = 0
        while filled < BATCH_BYTES:
            got, _ancillary, flags, _sender = self._socket.recvmsg_into([self._buffer[filled:]])
            if flags & socket.MSG_TRUNC:
                raise DumpInterrupted("a message was longer than the buffer")
            if ends_dump(self._buffer, filled, filled + got):
                return filled + got, True
            filled += got
        return filled, False

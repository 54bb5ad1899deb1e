"""A balancer before a collector that does what a test wants: passes on, answers itself, says nothing, cuts."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PIECE = 256
RESET = struct.pack("ii", 1, 0)


def answering(status: str, *headers: str, body: bytes = b"no") -> bytes:
    """An answer as bytes: `answering("503 Busy", "Retry-After: 1")`."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return f"{head}\r\n\r\n".encode() + body


@dataclass(slots=True)
class Front:
    """Every connection has a thread; what is done is decided request by request."""

    listener: socket.socket
    dial: Callable[[], socket.socket]
    """Opens a connection to the collector."""
    answer: bytes | None = None
    """What each request gets instead of the collector's answer; empty: nothing, ever."""
    most_bytes: int = 2**30
    """Bodies above are answered 413."""
    bytes_per_s: float = 0.0
    """How fast it reads what comes from agents; 0: as fast as it comes."""
    answered: int = 0
    """Requests that did not get to the collector."""
    clients: list[socket.socket] = field(default_factory=list)

    def serve(self) -> None:
        """Begin, in threads of its own; `close` ends it."""
        threading.Thread(target=self._accept, name="front", daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut(lambda _port: True)

    def cut(self, chosen: Callable[[int], bool]) -> None:
        """Reset the connections that come from these ports."""
        for client in list(self.clients):
            with contextlib.suppress(OSError):
                if chosen(client.getpeername()[1]):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    client.shutdown(socket.SHUT_RD)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.clients.append(client)
                threading.Thread(target=self._serve, args=(client,), name="front", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as open_, contextlib.suppress(OSError):
            open_.callback(self.clients.remove, client)
            open_.enter_context(client)
            far: socket.socket | None = None
            while request := read_message(client, self.bytes_per_s):
                answer = self._own_answer(request)
                if answer is None:
                    far = far or open_.enter_context(self.dial())
                    far.sendall(request)
                    answer = read_message(far)
                else:
                    self.answered += 1
                if answer:
                    client.sendall(answer)
                elif self.answer is None:
                    return

    def _own_answer(self, request: bytes) -> bytes | None:
        if len(request.partition(b"\r\n\r\n")[2]) > self.most_bytes:
            return answering("413 Too Large")
        return self.answer


def read_message(end: socket.socket, bytes_per_s: float = 0.0) -> bytes:
    """One whole HTTP message with a Content-Length; empty at the end of the connection."""
    got = b""
    while True:
        head, parted, body = got.partition(b"\r\n\r\n")
        if parted and len(body) >= _length(head):
            return got
        more = end.recv(PIECE if bytes_per_s else 65_536)
        if not more:
            return b""
        got += more
        time.sleep(len(more) / bytes_per_s if bytes_per_s else 0.0)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0

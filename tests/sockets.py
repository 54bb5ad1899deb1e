"""Real connections of the thread's network namespace, for tests that count them."""

import socket


def listen(keep: list[socket.socket], port: int, address: str = "127.0.0.1") -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    keep.append(made)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen(500)
    return made


def connect(
    keep: list[socket.socket], server: socket.socket, count: int, *, local: str | None = None, local_port: int = 0
) -> list[tuple[socket.socket, socket.socket]]:
    pairs = []
    for _ in range(count):
        client = socket.socket(server.family)
        if local:
            client.bind((local, local_port))
        client.connect(server.getsockname()[:2])
        pairs.append((client, server.accept()[0]))
        keep.extend(pairs[-1])
    return pairs

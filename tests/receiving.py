"""A webhook's receiver in a thread of its own: takes notices down, refuses as often as it is told to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

CONFIG = """
[[rule]]
name = "hot"
severity = "page"
raise_at = 0.85
clear_at = 0.75

[[channel]]
name = "webhook"
url = "{url}/notice"
timeout_s = 2
"""


@dataclass
class Heard:
    """Every notice that was taken, in order, by its key; `refusing`: all are answered 503."""

    url: str = ""
    notices: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusing: bool = False
    refused: int = 0

    @property
    def states(self) -> list[str]:
        """`firing` and `resolved`, as they came."""
        return [body["state"] for _, body in self.notices]


@contextmanager
def receiving() -> Iterator[Heard]:
    """It listens until the block ends."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if heard.refusing:
                heard.refused += 1
            else:
                heard.notices.append((self.headers["Idempotency-Key"], body))
            self.send_response(503 if heard.refusing else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()

"""`notify`."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.__main__ import main


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if self.path == "/gone" else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", taken
        server.shutdown()
        thread.join()


def configured(tmp_path: Path, url: str) -> str:
    config = tmp_path / "collector.toml"
    config.write_text(f'[[channel]]\nname = "ops"\nurl = "{url}"\n')
    return str(config)


def test_a_channel_is_sent_a_firing_and_a_resolved(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, taken = receiver
    assert main(["notify", "test", "ops", "--config", configured(tmp_path, url)]) == 0
    assert capsys.readouterr().out == "ops: firing: HTTP 204\nops: resolved: HTTP 204\n"
    assert [one["state"] for one in taken] == ["firing", "resolved"]
    assert all("this is a test" in one["summary"] for one in taken)


def test_a_channel_that_does_not_take_it_says_why(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "test", "ops", "--config", configured(tmp_path, f"{receiver[0]}/gone")]) == 1
    assert capsys.readouterr().out == "ops: firing: not taken: HTTP 404\n"


def test_a_channel_nobody_configured_is_named_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "test", "opps", "--config", configured(tmp_path, "http://x.example/")]) == 2
    assert "did you mean 'ops'" in capsys.readouterr().err

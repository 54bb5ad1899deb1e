"""The token goes to the collector, and nowhere else."""

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent_process import AnAgent, until
from tests.manager import Manager, a_manager
from tests.secret import a_secret

TOKEN = "pg_0123456789ab_open-sesame"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with a_manager(tmp_path) as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, manager: Manager) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path, manager.environment)
    a_secret(made.token, TOKEN)
    yield made
    made.end()


def refuse_forever(collector: socket.socket, seen: list[bytes]) -> None:
    """Answer 401 and repeat what was sent, as a careless proxy would."""
    while True:
        try:
            caller, _address = collector.accept()
        except OSError:
            return
        with caller:
            asked = caller.recv(65_536)
            seen.append(asked)
            body = asked[:200].replace(TOKEN.encode(), b"?")
            caller.sendall(b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def test_the_token_is_in_no_log_no_metric_and_no_argument(agent: AnAgent, manager: Manager, tmp_path: Path) -> None:
    """At debug level, refused by the collector, reloaded, stopped."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as collector:
        answering = threading.Thread(target=refuse_forever, args=(collector, seen), daemon=True)
        answering.start()
        url = f"http://127.0.0.1:{collector.getsockname()[1]}"
        door = tmp_path / "agent.sock"
        agent.configure(collector=url, log_level="debug", interval_s=0.2, listen=f"unix:{door}")
        process = agent.start()
        manager.wait_for("READY")
        agent.until_logged("answered 401")
        until(door.exists)
        metrics = asked(door)
        arguments = (
            Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
        )
        process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        manager.wait_for("READY")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        collector.shutdown(socket.SHUT_RDWR)
        answering.join(30)

    assert f"Bearer {TOKEN}".encode() in seen[0], "it was used"
    assert TOKEN not in agent.log.read_text()
    assert TOKEN not in metrics
    assert TOKEN.encode() not in arguments
    assert not [message for message in manager.heard if TOKEN in str(message)]


def asked(door: Path) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(str(door))
        asking.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with asking.makefile() as answer:
            return answer.read()

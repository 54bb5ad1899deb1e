"""/metrics and /healthz of a real agent, read as Prometheus reads them and judged by promtool."""

import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from agent.listening import CannotListen, listener
from agent.place import TcpPlace, UnixPlace
from tests.agent_process import AnAgent, until
from tests.manager import Manager, a_manager
from tests.promtool import judging, promtool


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with a_manager(tmp_path) as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, manager: Manager) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path, manager.environment)
    yield made
    made.end()


class OverUnix(HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def asked(connection: HTTPConnection, path: str) -> tuple[int, str, str]:
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


@pytest.fixture
def answering(agent: AnAgent, manager: Manager, tmp_path: Path) -> Path:
    path = tmp_path / "agent.sock"
    agent.configure(listen=f"unix:{path}", interval_s=1.0)
    agent.start()
    manager.wait_for("READY")
    until(path.exists)
    return path


def test_a_unix_socket_tells_metrics_to_the_agents_group_only(answering: Path) -> None:
    status, kind, text = asked(OverUnix(answering), "/metrics")

    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert re.search(r'^portgauge_agent_samples_total\{reason="first"\} 1$', text, re.MULTILINE)
    assert re.search(r"^portgauge_agent_healthy 1$", text, re.MULTILINE)
    assert re.search(r'^portgauge_agent_pushes_total\{verdict="unreachable"\} [1-9]', text, re.MULTILINE)
    assert stat.S_IMODE(answering.stat().st_mode) == 0o660
    assert asked(OverUnix(answering), "/healthz")[::2] == (200, "ok\n")


@judging
def test_promtool_finds_nothing_to_complain_about(answering: Path) -> None:
    text = asked(OverUnix(answering), "/metrics")[2]

    done = promtool("check", "metrics", told=text)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_reload_moves_the_door(agent: AnAgent, manager: Manager, answering: Path, tmp_path: Path) -> None:
    agent.configure(listen=f"unix:{tmp_path / 'elsewhere.sock'}", interval_s=1.0)
    agent.process.send_signal(signal.SIGHUP)
    manager.wait_for("RELOADING")
    manager.wait_for("READY")

    assert asked(OverUnix(tmp_path / "elsewhere.sock"), "/healthz")[0] == 200
    assert not answering.exists()


def test_a_place_that_is_taken_is_refused_at_the_start_and_by_a_reload(
    agent: AnAgent, manager: Manager, answering: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        agent.configure(listen=f"127.0.0.1:{port}")
        agent.process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        manager.wait_for("READY")
        assert asked(OverUnix(answering), "/healthz")[0] == 200

        other = AnAgent(tmp_path / "other", {})
        other.configure(listen=f"127.0.0.1:{port}")
        assert other.start().wait(30) == 2

    for log in (agent.log, other.log):
        assert f"127.0.0.1:{port} is in use" in log.read_text()


def test_a_socket_left_behind_is_taken_over_one_that_answers_is_not(tmp_path: Path) -> None:
    place = UnixPlace(str(tmp_path / "agent.sock"))
    listener(place).close()

    with listener(place), pytest.raises(CannotListen, match="is in use"):
        listener(place)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")

    with pytest.raises(CannotListen, match="is in use"):
        listener(UnixPlace(str(precious)))

    assert precious.read_text() == "data"


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 0), ("::1", 0)])
def test_a_loopback_port_of_either_family_can_be_had(host: str, port: int) -> None:
    if ":" in host and not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with listener(TcpPlace(host, port, is_loopback=True)) as made:
        assert made.getsockname()[1] > 0

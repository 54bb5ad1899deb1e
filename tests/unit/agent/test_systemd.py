"""systemd hears us on a real socket, by a path or an abstract name."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.systemd import READY, STOPPING, Notifier, from_environment, reloading, status
from tests.manager import a_manager


@contextmanager
def hearing(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(10)
        yield manager


def test_assignments_go_out_as_the_lines_of_one_message(tmp_path: Path) -> None:
    with a_manager(tmp_path) as manager:
        Notifier(manager.address).tell(READY, status("all\nis  well"))

        assert manager.next() == {"READY": "1", "STATUS": "all is well"}


def test_an_abstract_name_stands_behind_an_at_sign() -> None:
    name = f"portgauge-test-{os.getpid()}"
    with hearing(f"\0{name}") as manager:
        Notifier(f"@{name}").tell(STOPPING)

        assert manager.recv(100) == b"STOPPING=1"


def test_a_reload_says_when_it_began() -> None:
    before_us = time.monotonic_ns() // 1000
    first, second = reloading()

    assert first == "RELOADING=1"
    assert before_us <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_without_systemd_nothing_is_sent() -> None:
    Notifier().tell(READY)


def test_a_socket_that_is_gone_is_logged_and_nothing_worse(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier(str(tmp_path / "gone")).tell(READY)

    assert "systemd cannot be told" in caplog.text


@pytest.mark.parametrize(
    ("environ", "notifier"),
    [
        ({}, Notifier()),
        ({"WATCHDOG_USEC": "30000000"}, Notifier()),
        ({"NOTIFY_SOCKET": "/run/x"}, Notifier("/run/x")),
        ({"NOTIFY_SOCKET": "vsock:2:9"}, Notifier()),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000"}, Notifier("@x", 30.0)),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, Notifier("@x", 0.5)),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, Notifier("@x")),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, Notifier("@x")),
    ],
)
def test_where_and_how_often_to_report_comes_from_the_environment(environ: dict[str, str], notifier: Notifier) -> None:
    """A watchdog meant for another process is not ours to feed."""
    assert from_environment(environ) == notifier

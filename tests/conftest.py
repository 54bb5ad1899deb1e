"""What every test may ask for."""

import gc
import logging
import resource
import signal
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import certificates, previous, sshd_program
from tests import small_disk as small_disks
from tests.certificates import Authority, an_authority
from tests.fleet import ground as fleets
from tests.netns import Netns, fresh_netns, why_none
from tests.sendable import sendable
from tests.watching import why_not_watching

hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")
"""Speed is measured in benchmarks: a busy machine must not fail a property."""


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
"""A test may hold a thousand connections; an ordinary user's soft limit is 1,024 files."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a script: what tests start would inherit deaf ears to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


REAL = ("acceptance", "contract", "fleet", "integration", "packaging")
"""Tests of programs that run for themselves, in real time, on a machine that others use too."""
UNCLOSED = ("Warning", "unraisable", "unhandled thread")
"""What a test left unclosed is no matter of time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give what waits for other programs a second chance, which the summary tells (docs/decisions/0190).

    Nothing else has one: not what is pure, nor what a test left unclosed, nor a wrong number.
    """
    for item in items:
        if item.path.relative_to(item.config.rootpath / "tests").parts[0] in REAL:
            item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=list(UNCLOSED)))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """A log with a file's name that is no UTF-8 is a report that no worker could send (tests/sendable.py)."""
    report: dict[str, Any] | None = sendable((yield))
    return report


@pytest.fixture(autouse=True, scope="module")
def what_stays() -> Iterator[None]:
    """What was there before a module's first test is of no test: nobody need walk it after each.

    What the module's own fixtures drop unclosed fails its last test, not one of the next module.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def nothing_dropped_unclosed() -> Iterator[None]:
    """A socket or connection that a test drops fails that test, not the innocent one the garbage collector meets it in.

    Set up before the test's other fixtures, so torn down after them. A few ms: what was there before is not walked.
    """
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def the_log_as_it_was() -> Iterator[None]:
    """A command that sets up the process's log does so for its own test: others would find its lines on stderr."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for left in [one for one in root.handlers if one not in handlers]:
        left.close()  # It may have a timer that runs on, and stderr is that test's.
    root.handlers[:] = handlers
    root.setLevel(level)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a right that we do not have: in one place, so that pytest says each reason in one line."""
    needs: dict[str, Callable[[], str | None]] = {
        "namespaces": why_none,
        "watching": why_not_watching,
        "small_disk": small_disks.why_none,
        "authority": certificates.why_none,
        "a_fleet": fleets.why_none,
        "previous": previous.why_none,
        "sshd": sshd_program.why_none,
    }
    for fixture, why_not in needs.items():
        if fixture in getattr(item, "fixturenames", ()) and (reason := why_not()):
            pytest.skip(reason)


@pytest.fixture(scope="session")
def namespaces() -> None:
    """What a test or fixture asks for that makes network namespaces by itself; see pytest_runtest_setup."""


@pytest.fixture(scope="session")
def a_fleet() -> None:
    """What a test or fixture asks for that runs a fleet in namespaces; see pytest_runtest_setup."""


@pytest.fixture(scope="session")
def watching() -> None:
    """What a test or fixture asks for that watches the kernel's tracepoints; see pytest_runtest_setup."""


@pytest.fixture
def new_netns(namespaces: None) -> Iterator[Callable[[], Netns]]:
    """Make network namespaces, as many as the test wants."""
    del namespaces
    with ExitStack() as stack:
        yield lambda: stack.enter_context(fresh_netns())


@pytest.fixture
def netns(new_netns: Callable[[], Netns]) -> Netns:
    """A fresh network namespace with lo up, gone without a trace after the test."""
    return new_netns()


@pytest.fixture
def keep() -> Iterator[list[socket.socket]]:
    """Sockets put in here stay open during the test and are closed after it."""
    kept: list[socket.socket] = []
    yield kept
    for one in kept:
        one.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[small_disks.SmallDisk]:
    """A disk of 256 KiB."""
    (tmp_path / "small").mkdir()
    with small_disks.small_disk(tmp_path / "small") as made:
        yield made


@pytest.fixture(scope="session")
def sshd() -> Path:
    """The ssh server's program, run by root; see pytest_runtest_setup."""
    return sshd_program.PATH


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs certificates that nobody else knows."""
    return an_authority(tmp_path / "authority")

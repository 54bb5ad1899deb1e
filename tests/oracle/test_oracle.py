"""Every situation, on the kernel that runs this: portgauge never misleads, and is nearly always right to the port.

Where rights are missing it may know less, and still must not mislead.
"""

import errno
import functools
from collections.abc import Iterator

import pytest

from agent import exact
from agent.netlink.errors import DumpRefused
from agent.netlink.sock_diag import SockDiag
from agent.traits import try_out
from shared.model import Kind
from tests.oracle.application import Application
from tests.oracle.catalogue import Situation, everything
from tests.oracle.judge import judge
from tests.oracle.observer import Answer, in_process
from tests.oracle.outcome import Outcome, Verdict, exact_percent, line

LEAST_EXACT_PERCENT = 90
SITUATIONS = everything()

each_situation = pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)


@functools.cache
def outcome_of(situation: Situation) -> Outcome:
    """Each situation is tried once, however many tests ask."""
    return judge(situation, in_process)


@each_situation
def test_the_answer_holds(situation: Situation, namespaces: None) -> None:
    del namespaces

    assert_it_holds(situation, outcome_of(situation))


@pytest.mark.timeout(300)
def test_nine_of_ten_answers_are_exact(namespaces: None) -> None:
    del namespaces

    outcomes = [outcome_of(one) for one in SITUATIONS]

    assert exact_percent(outcomes) >= LEAST_EXACT_PERCENT, "\n".join(map(line, outcomes))


@each_situation
def test_the_bounds_hold_without_probing(situation: Situation, namespaces: None) -> None:
    del namespaces

    assert_it_holds(situation, judge(situation, unprobed))


@each_situation
def test_the_answer_holds_where_only_the_pools_own_sockets_are_read(
    situation: Situation, namespaces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host with many sockets: the others are not read, every port is probed instead."""
    del namespaces
    monkeypatch.setattr(exact, "is_crowded", lambda _diag, question, _settings: question.kind is Kind.CONNECT)

    assert_it_holds(situation, judge(situation, in_process))


@pytest.fixture
def no_netlink(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A seccomp filter refuses the socket, from the start of the process on; /proc/net/tcp has to do."""

    def refuse(_: SockDiag) -> None:
        raise DumpRefused(errno.EPERM)

    monkeypatch.setattr(SockDiag, "__init__", refuse)
    try_out.cache_clear()
    yield
    try_out.cache_clear()


@each_situation
def test_the_bounds_hold_without_netlink(situation: Situation, namespaces: None, no_netlink: None) -> None:
    """That text names no devices, so the bounds are wide."""
    del namespaces, no_netlink

    assert_it_holds(situation, judge(situation, unprobed))


def unprobed(application: Application) -> tuple[Answer | None, str]:
    return in_process(application, "--no-probe")


def assert_it_holds(situation: Situation, outcome: Outcome) -> None:
    if outcome.verdict is Verdict.SKIPPED:
        pytest.skip(outcome.note)
    assert not outcome.verdict.is_failure, f"{situation.says}\n{line(outcome)}"

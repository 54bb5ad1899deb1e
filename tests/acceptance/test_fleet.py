"""The whole product, with a small fleet in a hurry: each fault is detected, named, notified and recovered."""

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance import parts
from tests.fleet.faults import FAULTS
from tests.fleet.ground import LEAST_HOSTS, Ground, ground
from tests.fleet.outcome import STAGES, Outcome
from tests.marked import VARIABLE, processes_with

pytestmark = pytest.mark.timeout(1_800)
"""The story is told in the set-up of the first test: a minute and a half, and many on a busy machine."""
Fault = Callable[[Ground], Outcome]


@pytest.fixture(scope="module")
def outcomes(a_fleet: None) -> dict[Fault, Outcome]:
    del a_fleet
    with ground(LEAST_HOSTS, is_hurried=True) as on:
        return {fault: fault(on) for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_is_detected_named_notified_and_recovered(outcomes: dict[Fault, Outcome], fault: Fault) -> None:
    outcome = outcomes[fault]

    assert outcome.missing == ""
    assert set(outcome.at_s) == set(STAGES)
    assert outcome.over_s is not None
    assert outcome.at_s["recovered"] >= outcome.over_s


@pytest.mark.usefixtures("a_fleet")
def test_ctrl_c_ends_the_fleet_and_leaves_nothing() -> None:
    """At a terminal it reaches everybody at once who has not left the session."""
    mark = f"portgauge-{uuid.uuid4()}"
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.Popen(
            parts.module("tests.fleet", "--hosts", str(LEAST_HOSTS)),
            cwd=parts.REPOSITORY,
            env={**os.environ, VARIABLE: mark, "TMPDIR": directory},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with run:
            assert run.stdout
            first = run.stdout.readline()
            while_running = len(list(processes_with(mark)))
            os.killpg(run.pid, signal.SIGINT)
            _, errors = run.communicate(timeout=3 * parts.PATIENCE_S)

        assert "2 load balancers report" in first, errors
        assert (run.returncode, errors) == (130, "")
        assert while_running >= 9
        assert list(processes_with(mark)) == []
        assert list(Path(directory).iterdir()) == []

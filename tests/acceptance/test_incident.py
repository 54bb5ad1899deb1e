"""The published incident with a real HAProxy: portgauge names the pools, and in time. One run, judged by many tests."""

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance import parts
from tests.acceptance.incident import HIGH, LOW, STEPS, Scene, Step, held, incident, row, warned_ahead
from tests.acceptance.parts import BACKEND_PORTS, HOST, LOCAL_IP, ROLE, Notice
from tests.marked import VARIABLE, processes_with

CAPACITY = HIGH - LOW + 1
pytestmark = pytest.mark.timeout(300)
"""The story is told in the set-up of the first test; on a busy machine that may take minutes."""


class Story(NamedTuple):
    steps: dict[int, Step]
    scene: Scene


@pytest.fixture(scope="module")
def story(namespaces: None) -> Story:
    del namespaces
    skip_where_programs_are_missing()
    with incident() as scene:
        steps = {step.wanted: step for step in scene.play()}
    return Story(steps, scene)


def skip_where_programs_are_missing() -> None:
    try:
        parts.require_programs("haproxy", "ip")
    except parts.NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("clients", STEPS)
def test_the_agent_and_the_collector_count_what_the_kernel_counts(story: Story, clients: int) -> None:
    step = story.steps[clients]

    assert step.in_kernel.total() == step.held_clients
    assert held(step.by_agent) == step.in_kernel
    assert held(step.by_collector) == step.in_kernel
    assert {pool["capacity"] for pool in step.by_agent.values()} <= {CAPACITY}
    assert all(pool["held"] + pool["headroom_min"] == CAPACITY for pool in step.by_agent.values())


def test_from_half_full_on_a_plan_names_each_pool_with_its_count(story: Story) -> None:
    step = story.steps[600]

    assert_one_notice_a_pool(step.notices, "plan", lowest=150)
    assert {notice.document["peer_port"]: notice.document["held"] for notice in step.notices} == step.in_kernel
    assert (step.failures, step.check.status) == ([], 0)


def test_what_was_told_is_not_told_again_while_it_lasts(story: Story) -> None:
    step = story.steps[850]

    assert step.notices == []
    assert step.check.status == 1


def test_from_85_percent_on_a_page_names_each_pool(story: Story) -> None:
    """A page needs no hold time, so it may come while clients are still coming: held is what it was then."""
    step = story.steps[1_030]

    assert_one_notice_a_pool(step.notices, "page", lowest=255)
    assert all(notice.document["held"] <= step.in_kernel[notice.document["peer_port"]] for notice in step.notices)
    assert step.check.status == 2
    assert step.check.line.startswith(f"CRITICAL - {LOCAL_IP} -> {LOCAL_IP}:900")
    assert "holds 258 of 300 ports (86 %), 42 left" in step.check.line


def assert_one_notice_a_pool(notices: Sequence[Notice], severity: str, *, lowest: int) -> None:
    documents = [notice.document for notice in notices]
    assert sorted(one["peer_port"] for one in documents) == list(BACKEND_PORTS)
    for one in documents:
        assert (one["state"], one["severity"], one["host"], one["role"]) == ("firing", severity, HOST, ROLE)
        assert (one["kind"], one["local_ip"], one["peer_ip"], one["capacity"]) == ("connect", LOCAL_IP, LOCAL_IP, 300)
        assert lowest <= one["held"] <= CAPACITY
        assert one["headroom_min"] == one["headroom_max"] == CAPACITY - one["held"]
        assert one["summary"].startswith(f"{severity.upper()} {HOST}: {LOCAL_IP} -> {LOCAL_IP}:{one['peer_port']} ")


def test_haproxy_fails_exactly_when_every_pool_is_full(story: Story) -> None:
    """At 4 x 300 clients nothing has failed yet, and the next connect() of anybody fails; so do the next clients."""
    full, beyond = story.steps[1_200], story.steps[1_210]

    assert full.in_kernel == dict.fromkeys(BACKEND_PORTS, CAPACITY)
    assert full.out_of_ports
    assert (full.refused, full.failures) == (0, [])
    assert all(not story.steps[clients].out_of_ports for clients in STEPS if clients < 1_200)
    assert (beyond.held_clients, beyond.refused) == (1_200, 10)
    assert [clients for clients, _ in beyond.failures] == [1_200] * 10
    assert all("Connect() failed for backend sockets: no free ports" in line for _, line in beyond.failures)


def test_portgauge_told_both_before_haproxys_first_failure(story: Story) -> None:
    first = {one.document["severity"]: one.clients for one in reversed(told(story)) if is_firing(one)}

    assert first["plan"] < first["page"] < story.steps[1_210].failures[0][0]
    assert warned_ahead(list(story.steps.values())) == 1_200 - first["plan"]


def test_when_the_clients_have_left_every_alert_resolves(story: Story) -> None:
    last = story.steps[0]

    assert not any(is_firing(notice) for notice in last.notices)
    assert {notice.document["alert"] for notice in last.notices} == {
        notice.document["alert"] for notice in told(story) if is_firing(notice)
    }
    assert last.check.status == 0


def test_each_notice_is_told_once(story: Story) -> None:
    keys = [notice.document["key"] for notice in told(story)]

    assert len(keys) == len(set(keys)) == 16


def test_agent_and_collector_stop_cleanly(story: Story) -> None:
    assert (story.scene.agent.returncode, story.scene.collector.process.returncode) == (0, 0)


def test_the_table_tells_a_step_in_a_line(story: Story) -> None:
    (line,) = row(story.steps[1_210])

    assert line.split()[:4] == ["1210", "300", "/", "300"]
    assert "exhausted: 0 left" in line
    assert line.endswith("10 × Connect() failed for backend sockets: no free ports.")


def test_ctrl_c_ends_the_demo_and_everything_it_started(namespaces: None) -> None:
    """Every process inherits the mark, whatever session or namespace it is in."""
    del namespaces
    skip_where_programs_are_missing()
    mark = f"portgauge-{uuid.uuid4()}"
    with tempfile.TemporaryDirectory() as directory:
        demo = subprocess.Popen(
            parts.module("tests.acceptance.incident"),
            cwd=parts.REPOSITORY,
            env={**os.environ, VARIABLE: mark, "TMPDIR": directory},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with demo:
            assert demo.stdout
            title, columns = demo.stdout.readline(), demo.stdout.readline()
            while_running = len(list(processes_with(mark)))
            demo.send_signal(signal.SIGINT)
            _, errors = demo.communicate(timeout=parts.PATIENCE_S)

        assert "300 ports" in title
        assert "HAProxy" in columns
        assert (demo.returncode, errors) == (130, "")
        assert while_running >= 7
        assert list(processes_with(mark)) == []
        assert list(Path(directory).iterdir()) == []


def is_firing(notice: Notice) -> bool:
    return bool(notice.document["state"] == "firing")


def told(story: Story) -> list[Notice]:
    return [notice for step in story.steps.values() for notice in step.notices]

"""Namespaces as `ip netns` makes them, seen by the commands; in a mount namespace of their own: none is left behind."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
SETUP = """
set -e
mount --make-rprivate /
mount -t tmpfs none /run
ip netns add edge
ip netns add web
ip netns exec edge ip link set lo up
ip netns exec edge sysctl -qw net.ipv4.ip_local_port_range="40000 40299"
ip netns exec edge "$PYTHON" -c "$CONNECT" &
connected=$!
while [ ! -e /run/connected ]; do sleep 0.05; done
status=0
"$@" || status=$?
kill $connected
exit $status
"""
CONNECT = """
import pathlib, socket, time
server = socket.create_server(("127.0.0.1", 9001), backlog=300)
pairs = [(socket.create_connection(("127.0.0.1", 9001)), server.accept()) for _ in range(255)]
pathlib.Path("/run/connected").touch()
time.sleep(60)
"""

Agent = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agent(namespaces: None) -> Agent:
    """Run the agent beside two named namespaces, `edge` with a pool of 255 of 300 ports and `web` without any."""
    del namespaces

    def run(*argv: str) -> "subprocess.CompletedProcess[str]":
        command = ["unshare", "--mount", "--net", "sh", "-c", SETUP, "sh", sys.executable, "-m", "agent", *argv]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": sys.executable, "CONNECT": CONNECT}
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def told(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pools_has_the_named_namespaces_with_their_own_ranges(agent: Agent) -> None:
    report = told(agent("pools", "--json"))

    ranges = {one["netns"]: (one["range"]["low"], one["range"]["high"]) for one in report["namespaces"]}
    assert ranges["edge"] == (40_000, 40_299)
    assert "web" in ranges
    assert [(one["held"], one["capacity"]) for one in report["pools"] if one["netns"] == "edge"] == [(255, 300)]


def test_pools_of_one_namespace_only(agent: Agent) -> None:
    report = told(agent("pools", "--netns", "edge", "--json"))

    assert [one["netns"] for one in report["namespaces"]] == ["edge"]


def test_check_names_the_namespace_that_is_not_its_own(agent: Agent) -> None:
    done = agent("check", "--netns", "edge")

    assert done.returncode == 2
    assert done.stdout.startswith("CRITICAL - edge: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left")


def test_explain_accounts_and_probes_inside_the_namespace(agent: Agent) -> None:
    report = told(agent("explain", "--netns", "edge", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001", "--json"))

    assert (report["netns"], report["held"], report["capacity"]) == ("edge", 255, 300)
    assert (report["headroom_min"], report["headroom_max"], report["note"]) == (45, 45, "")


@pytest.mark.parametrize("command", ["pools", "explain"])
def test_a_wrong_name_gets_one_line_with_the_nearest_and_all_there_are(agent: Agent, command: str) -> None:
    where = ["--local", "127.0.0.1", "--peer", "127.0.0.1:9001"] if command == "explain" else []

    done = agent(command, "--netns", "egde", *where)

    assert done.returncode == 2
    assert done.stderr.startswith("portgauge-agent: no network namespace 'egde'; did you mean 'edge'? known: ")
    assert "web" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_check_of_a_wrong_name_is_unknown(agent: Agent) -> None:
    done = agent("check", "--netns", "egde")

    assert (done.returncode, done.stdout.splitlines()[0][:40]) == (3, "UNKNOWN - no network namespace 'egde'; d")


HIDEPID = """
sleep 60 &
mount -o remount,hidepid=1,gid=12345 /proc || exit 77
exec setpriv --bounding-set -sys_ptrace,-sys_admin "$@"
"""


def test_processes_that_a_mount_option_hides_are_said_to_be_hidden(namespaces: None) -> None:
    """Their namespaces cannot even be counted."""
    del namespaces
    inside = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", HIDEPID, "sh"]
    command = [*inside, sys.executable, "-m", "agent", "pools", "--json"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)

    if done.returncode == 77:
        pytest.skip("this kernel does not let us mount /proc with hidepid")
    assert told(done)["unreadable"] == [
        {"namespaces": 0, "why": "1 processes show no namespace: /proc is mounted with hidepid"}
    ]

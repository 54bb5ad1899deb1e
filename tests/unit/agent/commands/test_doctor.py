"""`doctor`, run as a user runs it."""

import json
import subprocess
import sys
from typing import Any

import pytest

from agent.__main__ import main
from agent.commands.doctor import text
from agent.doctor import WANTED, Facts, findings
from shared.model import Unreadable
from tests.netns import Netns

WITHOUT = ["setpriv", "--bounding-set", "-net_admin,-sys_admin,-perfmon,-sys_ptrace,-dac_read_search"]


def told(netns: Netns, *command: str) -> tuple[int, Any]:
    done = netns.run(lambda: subprocess.run(command, capture_output=True, text=True, check=False))
    return done.returncode, json.loads(done.stdout)


def test_without_capabilities_it_exits_1_and_says_how_to_grant_them(netns: Netns) -> None:
    status, report = told(netns, *WITHOUT, sys.executable, "-m", "agent", "doctor", "--json")

    assert status == 1
    hidden = {one["topic"]: one for one in report["findings"] if one["verdict"] == "hidden"}
    assert {"probes", "failures"} <= hidden.keys()
    assert "CAP_NET_ADMIN" in hidden["probes"]["grants"][0]
    assert all(one["hides"] for one in hidden.values())
    assert set(report["capabilities"]["missing"]) == set(WANTED)
    assert report["grant_all"][0].startswith("systemd unit: AmbientCapabilities=")


def test_it_prints_a_line_a_finding_and_exits_by_what_is_hidden(
    netns: Netns, capsys: pytest.CaptureFixture[str]
) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40300")

    status = netns.run(main, ["doctor"])

    printed = capsys.readouterr().out
    assert status == ("HIDDEN" in printed)
    assert "ok      probes" in printed
    assert "advice  range          40000–40300: an odd size; each connect() overlooks one port of it" in printed


def test_nothing_hidden_is_said_in_so_many_words() -> None:
    facts = Facts(held=frozenset(WANTED))

    assert text(facts, findings(facts)).endswith("\nnothing is hidden")


def test_the_remedy_for_all_comes_last() -> None:
    facts = Facts(held=frozenset(), unreadable=[Unreadable(2, "EPERM")])

    lines = text(facts, findings(facts)).splitlines()

    assert lines[-4] == "1 of 8 hidden"
    assert lines[-3].startswith("  systemd unit: AmbientCapabilities=CAP_SYS_ADMIN CAP_SYS_PTRACE")
    assert "CAP_PERFMON          missing  connect() failures as the kernel tells them" in lines

"""`portgauge-agent check` as a scheduler runs it: a real Icinga reads its status, its line and its data."""

import json
import re
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from tests import icinga
from tests.agent_process import PROGRAM, until
from tests.netns import Netns

ARGUMENTS = {
    "as it is": ["--netns", "own"],
    "with patience": ["--netns", "own", "-w", "0.85", "-c", "0.9"],
    "ranges": ["--netns", "own", "-w", "0:0.84", "-c", "~:0.9", "-v"],
    "mistaken": ["--warning", "70"],
}
STARTED_S = 60


@pytest.mark.skipif(icinga.why_none() is not None, reason=str(icinga.why_none()))
def test_a_scheduler_reads_each_status_and_the_performance_data(netns: Netns, tmp_path: Path) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    steps = json.dumps([["connect", "127.0.0.1", 9001, 255]])
    spender = netns.popen([sys.executable, "-m", "tests.spender", steps], stdin=PIPE, stdout=PIPE, text=True)
    assert spender.stdin
    assert spender.stdout
    spender.stdout.readline()
    log_file = tmp_path / "log"
    with log_file.open("w") as log:
        scheduler = netns.popen(icinga.command(tmp_path, PROGRAM, ARGUMENTS), stdin=DEVNULL, stdout=log, stderr=log)

    def told_all() -> bool:
        assert scheduler.poll() is None, log_file.read_text()
        return icinga.latest(tmp_path).keys() == ARGUMENTS.keys()

    until(told_all, STARTED_S)
    told = icinga.latest(tmp_path)

    assert {name: state for name, (state, *_) in told.items()} == {
        "as it is": "CRITICAL", "with patience": "WARNING", "ranges": "WARNING", "mistaken": "UNKNOWN",
    }  # fmt: skip
    assert re.match(r"CRITICAL - 127\.0\.0\.1 -> 127\.0\.0\.1:9001 holds 255 of 300 ports", told["as it is"][1])
    assert "127.0.0.1->127.0.0.1:9001=255;209;254;0;300" in told["as it is"][2]
    assert "127.0.0.1->127.0.0.1:9001=255;252;~:270;0;300" in told["ranges"][2]

    spender.stdin.close()  # All it held is free again, but for what lingers in TIME_WAIT and is not held.
    until(lambda: icinga.latest(tmp_path)["as it is"][0] == "OK", STARTED_S)

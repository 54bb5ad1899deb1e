"""What the running system lets an agent do is found out by trying."""

import subprocess
import sys
from pathlib import Path

from agent.examination import capabilities, examine
from shared.ports import PortRange
from tests.netns import Netns


def test_capabilities_are_read_as_the_kernel_writes_them() -> None:
    held = capabilities("Name:\tx\nCapInh:\tffffffffffffffff\nCapEff:\t0000004000201004\nCapBnd:\t0\n")

    assert held == {"CAP_DAC_READ_SEARCH", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_PERFMON"}
    assert capabilities("") == frozenset()


def test_as_root_of_a_namespace_its_sockets_ports_and_settings_are_open(netns: Netns) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")

    facts = netns.run(examine)

    assert (facts.list_refused, facts.probe_refused) == ("", "")
    assert facts.settings.port_range == PortRange(40_000, 40_299)
    assert facts.unprivileged_port_start == 1024
    assert facts.tells_cgroups
    assert "CAP_NET_ADMIN" in facts.held


def test_examining_leaves_nothing_behind(netns: Netns) -> None:
    netns.run(examine)
    before = len(list(Path("/proc/self/fd").iterdir()))

    netns.run(examine)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert netns.check_output(["ss", "-Htan"]).strip() == ""


ASK = "from agent.examination import examine; facts = examine(); print(facts.held, facts.probe_refused, sep='|')"


def test_what_is_not_granted_is_found_missing(netns: Netns) -> None:
    command = ["setpriv", "--bounding-set", "-net_admin,-sys_admin,-perfmon,-sys_ptrace,-dac_read_search"]

    held, refused = netns.check_output([*command, sys.executable, "-c", ASK]).strip().split("|")

    assert held == "frozenset()"
    assert "CAP_NET_ADMIN" in refused


def test_a_namespace_without_lo_is_told_as_such(netns: Netns) -> None:
    command = ["unshare", "--net", sys.executable, "-c", ASK]

    done = netns.run(lambda: subprocess.run(command, capture_output=True, text=True, check=True))

    assert "loopback device up" in done.stdout

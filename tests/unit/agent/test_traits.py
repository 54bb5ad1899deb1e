"""The running kernel is tried, not looked up."""

import subprocess
import sys

from agent.traits import Traits, try_out
from tests.netns import Netns

TRY = "from agent.traits import try_out; print(tuple(try_out()))"


def test_every_trait_of_this_kernel_is_found_out(netns: Netns) -> None:
    """Whatever they are, with the rights to try none stays unknown, and the caller stays where it was."""
    found = netns.check_output([sys.executable, "-c", TRY]).strip()

    assert "None" not in found
    assert found.startswith("(")


def test_without_the_rights_nothing_is_claimed(netns: Netns) -> None:
    without = ["setpriv", "--bounding-set", "-sys_admin,-net_admin", "--inh-caps", "-sys_admin,-net_admin"]
    process = netns.popen([*without, sys.executable, "-c", TRY], stdout=subprocess.PIPE, text=True)

    assert process.communicate(timeout=20)[0].strip() == "(None, None, None)"


def test_the_trial_leaves_the_thread_where_it_was(netns: Netns) -> None:
    def tried_and_here() -> tuple[Traits, str]:
        return try_out(), "here"

    netns.set_sysctl("ipv4/ip_local_port_range", "41000 41099")
    netns.run(tried_and_here)

    assert netns.check_output(["cat", "/proc/sys/net/ipv4/ip_local_port_range"]).split() == ["41000", "41099"]

"""Without any capability the agent counts its own network namespace. As another user: tests/integration/packaging."""

import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.netns import Netns
from tests.sockets import connect, listen

PROGRAM = Path(sys.executable).with_name("portgauge-agent")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")


@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv here: apt-get install util-linux")
def test_without_capabilities_the_pools_of_the_own_namespace_are_counted(
    netns: Netns, keep: list[socket.socket]
) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    netns.run(connect, keep, netns.run(listen, keep, 9001), 120)

    told = json.loads(netns.check_output([*WITHOUT_RIGHTS, str(PROGRAM), "pools", "--netns", "own", "--json"]))

    assert [(one["held"], one["capacity"]) for one in told["pools"] if one["peer_port"] == 9001] == [(120, 300)]

"""Where netlink is to be had it is used; what stands in for it is not even loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.netlink.errors import DumpRefused
from agent.netlink.opening import open_sockets
from agent.netlink.request import one_family
from agent.netlink.sock_diag import SockDiag
from agent.netlink.sockets_text import SocketsText
from tests.netns import Netns


def test_netlink_is_used_where_it_is_to_be_had(netns: Netns) -> None:
    with netns.run(open_sockets) as diag:
        assert type(diag) is SockDiag
        assert diag.loss == ""


def test_a_module_that_is_missing_is_found_by_asking(netns: Netns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tcp_diag the socket opens, and the question is answered with ENOENT."""
    monkeypatch.setattr("agent.netlink.opening.both_families", lambda _states: one_family(2, 250, 0))

    with netns.run(open_sockets) as diag:
        assert isinstance(diag, SocketsText)
        assert "because the kernel refused to list sockets" in diag.loss


def test_where_there_is_no_text_either_the_refusal_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_diag: SockDiag) -> None:
        raise DumpRefused(1)

    monkeypatch.setattr("agent.netlink.opening.TEXT", tmp_path / "none")
    monkeypatch.setattr(SockDiag, "__init__", refuse)

    with pytest.raises(DumpRefused):
        open_sockets()


def test_a_command_does_not_load_what_stands_in_for_netlink() -> None:
    """Nor what only a long-running agent needs: a check is started every minute."""
    code = "import sys, agent.commands.explain, agent.commands.check; print(' '.join(sys.modules))"

    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    unwanted = {"agent.netlink.sockets_text", "agent.owners", "agent.perf.layout", "shared.advice", "difflib"}
    assert not (unwanted | {"hashlib", "asyncio", "aiohttp", "concurrent.futures"}) & set(loaded)

"""The agent remembers what is in use while the block is open, and tells when it cannot."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from agent.bound_memory import BoundMemory, Seen
from agent.config import AgentConfig
from agent.netns import Atlas, current
from agent.remembering import Looked, remember, remembering
from agent.tallies import Samplings
from shared.model import Claims
from tests.netns import Netns
from tests.sockets import listen


def config(directory: Path) -> AgentConfig:
    return AgentConfig(collector="http://127.0.0.1:1", token_file=directory / "t", spool_dir=directory, netns=("own",))


def seen(directory: Path, netns: str) -> dict[int, Seen]:
    with BoundMemory(directory) as memory:
        return memory.seen(netns)


def test_a_look_writes_the_ports_in_use_and_claims_them(
    netns: Netns, keep: list[socket.socket], tmp_path: Path
) -> None:
    netns.run(listen, keep, 9_001)

    def look() -> tuple[Looked, Looked]:
        atlas = Atlas()
        return remember(atlas, config(tmp_path)), remember(atlas, config(tmp_path))

    netns.set_sysctl("ipv4/ip_local_reserved_ports", "8000-8003")
    first, second = netns.run(look)

    name = netns.run(current).name
    assert (first.written, second.written) == (1, 0)
    assert first.claims[name].ports == second.claims[name].ports == {8_000, 8_001, 8_002, 8_003, 9_001}
    assert seen(tmp_path, name)[9_001].use == "listening"


async def test_the_block_looks_at_once(tmp_path: Path) -> None:
    samplings = Samplings()
    async with remembering(lambda: config(tmp_path), samplings):
        for _ in range(500):
            if samplings.claims:
                break
            await asyncio.sleep(0.01)

    assert (tmp_path / "bound.db").exists()
    assert samplings.claims


async def test_what_cannot_be_written_is_said_and_the_agent_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    samplings = Samplings(claims={"host": Claims((), 1)})
    with caplog.at_level(logging.WARNING):
        async with remembering(lambda: config(tmp_path / "file"), samplings):
            for _ in range(500):
                if caplog.records:
                    break
                await asyncio.sleep(0.01)

    assert "not remembered" in caplog.text
    assert samplings.claims == {}

"""Under thousands of connects and closes a second every reading stays within what the load generator knows."""

import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.sampling import Sampler
from shared.model import Reading
from tests.integration.agent.churn import ACCOUNT
from tests.netns import Netns

LASTS_S = 60.0
PORTS = 2_000


@pytest.mark.timeout(180)
def test_readings_stay_within_the_truth_for_a_minute_of_churn(netns: Netns, tmp_path: Path) -> None:
    """A dump walks the table while it changes: what moved during the walk may be told once, twice or not at all."""
    netns.set_sysctl("ipv4/ip_local_port_range", f"40000 {40_000 + PORTS - 1}")
    file = tmp_path / "account"
    file.write_bytes(bytes(ACCOUNT.size))
    generator = netns.popen(
        [sys.executable, "-m", "tests.integration.agent.churn", str(file), "--ports", str(PORTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert generator.stdout is not None
    assert generator.stdin is not None
    assert generator.stdout.readline() == b"ready\n"
    sampler = netns.run(Sampler)
    readings = 0
    fd = os.open(file, os.O_RDONLY)
    with mmap.mmap(fd, ACCOUNT.size, prot=mmap.PROT_READ) as account:
        deadline_s = time.monotonic() + LASTS_S
        while time.monotonic() < deadline_s:
            before, opened_before, closed_before = ACCOUNT.unpack(account[:])
            summary = netns.run(sampler.sample, time.monotonic())
            after, opened, closed = ACCOUNT.unpack(account[:])
            moved = opened - opened_before + closed - closed_before + 1
            told = [one for one in summary.readings if one.pool.peer_port == 9001]
            assert_sound(told)
            assert min(before, after) - moved <= sum(one.held for one in told) <= max(before, after) + moved
            readings += 1
    os.close(fd)
    generator.stdin.close()

    assert generator.wait(20) == 0
    assert readings > LASTS_S
    assert (opened + closed) / LASTS_S > 1_000


def assert_sound(readings: list[Reading]) -> None:
    assert len(readings) <= 1
    for one in readings:
        assert 0 <= one.headroom_min <= one.headroom_max <= one.capacity <= PORTS
        assert 0 <= one.held <= one.capacity

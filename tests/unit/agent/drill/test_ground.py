"""A real namespace, made and gone."""

import os
from pathlib import Path

import pytest

from agent.drill.ground import Ground, NoGround, refuse_real
from agent.netns.entering import own_inode


def test_the_real_namespace_is_refused() -> None:
    with pytest.raises(NoGround, match="real network namespace: nothing was touched"):
        refuse_real(own_inode(), own_inode())


@pytest.mark.usefixtures("namespaces")
def test_a_pool_is_filled_and_drained_and_nothing_is_left() -> None:
    real_range = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    seen: list[int] = []
    with Ground("127.9.8.7", 40) as ground:
        child = int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1])
        ground.fill([1], 1000)
        ground.fill([20, 38], 1000)
        while 38 not in seen:
            seen += [event["held"] for event in ground.events(5)]
        ground.drain()
        while 0 not in seen:
            seen += [event["held"] for event in ground.events(5)]

    assert seen == [1, 20, 38, 0]
    assert not Path(f"/proc/{child}").exists()
    assert Path("/proc/sys/net/ipv4/ip_local_port_range").read_text() == real_range


@pytest.mark.usefixtures("namespaces")
def test_a_pool_that_runs_out_is_an_error_that_is_told() -> None:
    with Ground("127.9.8.7", 20) as ground:
        ground.fill([30], 1000)
        assert any("Cannot assign requested address" in event["error"] for event in ground.events(30))
        with pytest.raises(NoGround, match="ended"):
            ground.events(30)

"""Which TIME_WAITs connect() may recycle."""

import pytest

from shared.addresses import parse_ip
from shared.ports import PortRange, PortSettings
from shared.reuse import may_reuse, mode_allows


@pytest.mark.parametrize(
    ("mode", "local", "peer", "ifindex", "may"),
    [
        (0, "127.0.0.1", "127.0.0.1", 0, False),
        (1, "10.0.0.1", "10.0.0.2", 0, True),
        (2, "10.0.0.1", "10.0.0.2", 0, False),
        (2, "127.0.0.9", "10.0.0.2", 0, True),
        (2, "10.0.0.1", "127.1.2.3", 0, True),
        (2, "::1", "::1", 0, True),
        (2, "fd00::1", "fd00::2", 0, False),
        (2, "::ffff:127.0.0.1", "::ffff:127.0.0.1", 0, True),
        (2, "10.0.0.1", "10.0.0.1", 1, True),
    ],
)
def test_tw_reuse_decides_by_mode_and_loopback(mode: int, local: str, peer: str, ifindex: int, may: bool) -> None:
    settings = PortSettings(PortRange(1, 9), frozenset(), {"tcp_tw_reuse": mode, "tcp_timestamps": 1})

    assert may_reuse(parse_ip(local), parse_ip(peer), settings, ifindex) is may


def test_without_timestamps_nothing_is_recycled() -> None:
    settings = PortSettings(PortRange(1, 9), frozenset(), {"tcp_tw_reuse": 1, "tcp_timestamps": 0})

    assert not may_reuse(parse_ip("10.0.0.1"), parse_ip("10.0.0.2"), settings)
    assert mode_allows(parse_ip("10.0.0.1"), parse_ip("10.0.0.2"), settings)

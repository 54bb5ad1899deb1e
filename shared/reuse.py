"""Whether connect() may recycle a TIME_WAIT (net/ipv4/tcp_ipv4.c, tcp_twsk_unique). Pure."""

from shared.ports import PortSettings

LOOPBACK_V6 = bytes(15) + b"\x01"
OFF, ON, LOOPBACK_ONLY = 0, 1, 2
DEFAULT_DELAY_MS = 1_000
"""How old a TIME_WAIT must be: tcp_tw_reuse_delay from 6.14 on, about a second before."""
TIME_WAIT_MS = 60_000
"""TCP_TIMEWAIT_LEN, a constant of the kernel; a TIME_WAIT's age is this less what its timer has left."""
AGE_SLACK_MS = 10
"""Timers tick in jiffies (4 ms at HZ=250, 10 ms at HZ=100); an age this close to the delay decides nothing."""


def is_loopback(address: bytes) -> bool:
    """127.0.0.0/8 or ::1, as the kernel tests it; another address that merely lives on lo is not."""
    return address[:1] == b"\x7f" if len(address) == 4 else address == LOOPBACK_V6  # noqa: PLR2004 - IPv4


def may_reuse(local: bytes, peer: bytes, settings: PortSettings, ifindex: int = 0) -> bool:
    """Whether a TIME_WAIT between these two may be recycled, its age and the peer's timestamps left aside.

    Without timestamps on our side no connection made since has them.
    """
    return bool(settings.integers.get("tcp_timestamps", 1)) and mode_allows(local, peer, settings, ifindex)


def mode_allows(local: bytes, peer: bytes, settings: PortSettings, ifindex: int = 0) -> bool:
    """What tcp_tw_reuse alone says; `ifindex` 1, a socket bound to lo, counts as loopback.

    A TIME_WAIT whose connection had timestamps may be recycled though they have been switched off since.
    """
    mode = settings.integers.get("tcp_tw_reuse", OFF)
    return mode == ON or (mode == LOOPBACK_ONLY and (is_loopback(local) or is_loopback(peer) or ifindex == 1))


def old_enough_ms(settings: PortSettings) -> int:
    """The age from which on a TIME_WAIT is certainly old enough."""
    return settings.integers.get("tcp_tw_reuse_delay", DEFAULT_DELAY_MS) + AGE_SLACK_MS


def surely_young_ms(settings: PortSettings) -> int:
    """The age below which it certainly is not. Before 6.14 the kernel compares whole seconds: any age may do."""
    delay_ms = settings.integers.get("tcp_tw_reuse_delay")
    return 0 if delay_ms is None else delay_ms - AGE_SLACK_MS

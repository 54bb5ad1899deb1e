"""TCP socket states as the kernel numbers them (include/net/tcp_states.h), named as `ss` and RFC 9293 name them."""

from enum import IntEnum


class State(IntEnum):
    """One TCP state; the value is the kernel's, so `1 << state` is its bit in a sock_diag request."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12
    BOUND_INACTIVE = 13


def state_mask(*states: State) -> int:
    """The `idiag_states` bits that ask a dump for exactly these states."""
    return sum(1 << state for state in set(states))


ALL_STATES = state_mask(*State)
"""Every state, BOUND_INACTIVE (kernel 6.8 and later; older kernels ignore the bit) included."""

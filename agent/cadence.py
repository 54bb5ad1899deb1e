"""When to look at the sockets, and why. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a sample was taken."""

    FIRST = "first"
    """Nothing is known yet, or no longer: the agent starts, or its sampler did."""
    DUE = "due"
    """The interval is over."""
    CROSSING = "crossing"
    """By the kernel's counters a pool may have reached its next threshold."""
    HOT = "hot"
    """A pool is half full, and connections were opened or closed."""
    NEW = "new"
    """A network namespace with sockets was not there before."""
    CHANGED = "changed"
    """The settings of our own namespace are others: what was known of its pools no longer holds."""
    BLIND = "blind"
    """The counters of a namespace cannot be read, so that anything may have happened in it."""
    LAST = "last"
    """The agent is told to stop."""

"""Errors of the agent that belong to no single module."""

from pathlib import Path

from shared.errors import PortgaugeError


class SamplingFailed(PortgaugeError):
    """No sample could be taken; the message says why. Reported to the collector: blind is not silent."""


class JournalUnreadable(PortgaugeError):
    """The journal of systemd cannot be followed; the message says why."""


class TokenUnreadable(PortgaugeError):
    """The token file cannot be read or holds no token. The token itself is never part of the message."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the token file {path} cannot be used: {why}")
        self.path = path


class NotEnrolled(PortgaugeError):
    """The collector gives this host no token, for the reason it says."""

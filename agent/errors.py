"""Errors of the agent that belong to no single module."""

from shared.errors import PortgaugeError


class SamplingFailed(PortgaugeError):
    """No sample could be taken; the message says why. Reported to the collector: blind is not silent."""

"""The root of every error portgauge raises on purpose: a type that carries its facts, a message a person can act on."""


class PortgaugeError(Exception):
    """Something foreseen went wrong. The message says what, where, and what to do."""

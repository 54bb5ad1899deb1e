"""Which portgauge this is. Apart, because reading a distribution's metadata takes longer than a whole `check`."""

from functools import cache
from importlib.metadata import version


@cache
def agent_version() -> str:
    """The version of the installed distribution."""
    return version("portgauge")

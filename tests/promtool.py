"""Prometheus's own judge of what it is given."""

import shutil
import subprocess

import pytest

PROMTOOL = shutil.which("promtool")
WHY_NONE = "no promtool here: apt-get install prometheus"
judging = pytest.mark.skipif(not PROMTOOL, reason=WHY_NONE)


def promtool(*arguments: str, told: str | None = None) -> subprocess.CompletedProcess[str]:
    """What it says of this, and of the text `told` on its standard input."""
    return subprocess.run([str(PROMTOOL), *arguments], input=told, capture_output=True, text=True, check=False)

"""Whether the kernel lets this test run watch connect() failures: real root may, root of a user namespace may not."""

import functools
import random

from agent.perf.errors import WatchUnavailable
from agent.perf.watcher import FailureWatcher


def a_port() -> int:
    """One of many, lest failures of another test run's processes, gone before we looked, pass for ours."""
    return random.randint(10_000, 30_000)


@functools.cache
def why_not_watching() -> str | None:
    """Why not, as one line for a person; None where it does."""
    try:
        FailureWatcher.start().close()
    except WatchUnavailable as error:
        return str(error)
    return None

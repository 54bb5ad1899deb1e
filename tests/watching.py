"""Whether the kernel lets this test run watch connect() failures: real root may, root of a user namespace may not."""

import functools

from agent.perf.errors import WatchUnavailable
from agent.perf.watcher import FailureWatcher


@functools.cache
def why_not_watching() -> str | None:
    """Why not, as one line for a person; None where it does."""
    try:
        FailureWatcher.start().close()
    except WatchUnavailable as error:
        return str(error)
    return None

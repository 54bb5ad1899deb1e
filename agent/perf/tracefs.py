"""Reading a tracepoint's format from tracefs, mounted or not. The edge."""

import os
from collections.abc import Sequence
from pathlib import Path

from agent.perf import syscalls
from agent.perf.errors import TracefsUnavailable

MOUNTS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
"""Where it is mounted, if it is; the second before 4.1 and with debugfs."""


def event_format(event: str, mounts: Sequence[Path] = MOUNTS) -> str:
    """The format file of `event`, such as `sock/inet_sock_set_state`.

    tracefs is root's alone, so whoever starts us may have laid it into our $RUNTIME_DIRECTORY, under the event's name
    (packaging/systemd). Where neither that nor a mount has it, tracefs is mounted for ourselves alone, and given back
    once read. Raises TracefsUnavailable.
    """
    if given := _laid_out(event.rpartition("/")[2]):
        return given
    name = f"events/{event}/format"
    for mount in mounts:
        try:
            return (mount / name).read_text()
        except OSError:
            continue  # Not mounted here, or not for us to read: our own mount decides.
    try:
        root = syscalls.mount_detached("tracefs")
    except OSError as error:
        raise TracefsUnavailable(f"not mounted, and mounting it privately: {error.strerror}") from error
    try:
        with open(name, opener=lambda path, flags: os.open(path, flags, dir_fd=root)) as file:
            return file.read()
    except OSError as error:
        raise TracefsUnavailable(f"{name}: {error.strerror}") from error
    finally:
        os.close(root)


def _laid_out(name: str) -> str:
    try:
        return (Path(os.environ["RUNTIME_DIRECTORY"].split(":")[0]) / name).read_text()
    except (KeyError, OSError):
        return ""

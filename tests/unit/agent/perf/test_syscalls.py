"""System calls without a name in Python fail as OSError with the kernel's errno."""

import errno
import os

import pytest

from agent.perf import syscalls


def test_an_attr_the_kernel_cannot_read_is_refused() -> None:
    with pytest.raises(OSError, match=r".") as caught:
        syscalls.perf_event_open(bytes(112), 0)

    assert caught.value.errno in (errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOSYS)


def test_a_filesystem_that_does_not_exist_is_refused() -> None:
    with pytest.raises(OSError, match=r".") as caught:
        syscalls.mount_detached("no-such-filesystem")

    assert caught.value.errno in (errno.ENODEV, errno.EPERM, errno.ENOSYS)


def test_a_machine_whose_numbers_we_do_not_know_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")

    with pytest.raises(OSError, match="not known for pdp11"):
        syscalls.perf_event_open(bytes(112), 0)


@pytest.mark.usefixtures("watching")
def test_a_detached_mount_is_a_directory_that_cannot_be_written() -> None:
    root = syscalls.mount_detached("tracefs")
    try:
        os.close(os.open("events", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root))
        with pytest.raises(OSError, match="Read-only file system"):
            os.open("tracing_on", os.O_WRONLY, dir_fd=root)
    finally:
        os.close(root)

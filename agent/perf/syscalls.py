"""The system calls that Python has no names for. The edge; every failure is an OSError with its errno."""

import ctypes
import errno
import fcntl
import os
import platform

_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "loongarch64": 241, "ppc64le": 319, "s390x": 331}
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
"""The same on every architecture: all came after the numbers were made one (5.2)."""
_FSOPEN_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_FSCONFIG_CMD_CREATE = 6
_READ_ONLY_NOSUID_NODEV_NOEXEC = 0x1 | 0x2 | 0x4 | 0x8
_PERF_FLAG_FD_CLOEXEC = 8
_IOC_ENABLE, _IOC_SET_FILTER = 0x2400, 0x4008_2406
_EVERY_PROCESS, _NO_GROUP = -1, -1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _syscall(number: int, *arguments: "ctypes.c_long | bytes | None") -> int:
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def perf_event_open(attr: bytes, cpu: int) -> int:
    """A file descriptor that receives the events of every process on one CPU."""
    number = _PERF_EVENT_OPEN.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"perf_event_open is not known for {platform.machine()}")
    whole = (_EVERY_PROCESS, cpu, _NO_GROUP, _PERF_FLAG_FD_CLOEXEC)
    return _syscall(number, attr, *map(ctypes.c_long, whole))


def set_filter(fd: int, expression: str) -> None:
    """Let only hits through for which the expression over the tracepoint's fields is true; evaluated in the kernel."""
    fcntl.ioctl(fd, _IOC_SET_FILTER, expression.encode() + b"\0")


def enable(fd: int) -> None:
    """Begin to count and to write."""
    fcntl.ioctl(fd, _IOC_ENABLE, 0)


def mount_detached(filesystem: str) -> int:
    """A read-only mount of a kernel filesystem that no path leads to: a directory descriptor, gone when closed.

    Nobody else sees it and no mount namespace is needed (fsopen, fsconfig, fsmount: Linux 5.2, CAP_SYS_ADMIN).
    """
    context = _syscall(_FSOPEN, filesystem.encode(), ctypes.c_long(_FSOPEN_CLOEXEC))
    try:
        _syscall(_FSCONFIG, ctypes.c_long(context), ctypes.c_long(_FSCONFIG_CMD_CREATE), None, None, ctypes.c_long(0))
        flags = (context, _FSMOUNT_CLOEXEC, _READ_ONLY_NOSUID_NODEV_NOEXEC)
        return _syscall(_FSMOUNT, *map(ctypes.c_long, flags))
    finally:
        os.close(context)

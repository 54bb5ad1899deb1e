"""Dump errors say what the kernel said."""

import errno

from agent.netlink.errors import DumpInterrupted, DumpRefused, DumpTruncated


def test_each_error_carries_its_facts() -> None:
    assert "EACCES" in str(DumpRefused(errno.EACCES))
    assert str(DumpTruncated(124, 500, 88)) == "a netlink message at byte 124 claims 500 bytes where 88 arrived"
    assert "no answer" in str(DumpInterrupted("no answer"))

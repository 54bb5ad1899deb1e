"""The format is read where tracefs is mounted, and where it is not."""

from pathlib import Path

import pytest

from agent.failures import EVENT, NEEDS
from agent.perf import syscalls, tracefs
from agent.perf.errors import TracefsUnavailable
from agent.perf.layout import parse_format


def test_a_mount_that_has_it_is_read(tmp_path: Path) -> None:
    there = tmp_path / "events" / EVENT
    there.mkdir(parents=True)
    (there / "format").write_text("ID: 7\n")

    assert tracefs.event_format(EVENT, [tmp_path / "elsewhere", tmp_path]) == "ID: 7\n"


def test_whoever_starts_us_may_lay_the_format_out_for_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracefs is root's; the agent is not."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "inet_sock_set_state").write_text("ID: 8\n")

    assert tracefs.event_format(EVENT, []) == "ID: 8\n"


@pytest.mark.usefixtures("watching")
def test_without_a_mount_it_is_read_all_the_same_and_nothing_stays_mounted() -> None:
    mounts = Path("/proc/self/mountinfo").read_text()

    layout = parse_format(tracefs.event_format(EVENT, []), NEEDS)

    assert layout.event_id > 0
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.mark.usefixtures("watching")
def test_an_event_that_this_kernel_lacks_is_named() -> None:
    with pytest.raises(TracefsUnavailable, match=r"events/sock/no_such_event/format: No such file"):
        tracefs.event_format("sock/no_such_event", [])


def test_where_we_may_not_mount_the_reason_says_what_to_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_filesystem: str) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(syscalls, "mount_detached", refused)

    with pytest.raises(TracefsUnavailable, match=r"Operation not permitted.*CAP_SYS_ADMIN"):
        tracefs.event_format(EVENT, [])

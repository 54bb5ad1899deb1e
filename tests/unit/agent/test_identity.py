"""Who this host is, fit for the wire."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from agent.identity import APPLICATION, MACHINE_ID, host_name, kernel_boot_id, machine_id


@pytest.mark.parametrize(
    ("given", "made"), [("lb-eu-17", "lb-eu-17"), ("my host", "my-host"), ("-x", "x"), ("", "localhost")]
)
def test_a_hostname_is_made_fit_for_the_wire(given: str, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: given)

    assert host_name() == made


def test_the_boot_is_known() -> None:
    assert len(kernel_boot_id()) == 36


KNOWN = "7a3a446749fb4d37aa487308ce227768"


def test_the_machine_is_told_from_others_without_telling_its_id(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")

    assert machine_id(file) == KNOWN
    assert len(bytes.fromhex(KNOWN)) == 16


def test_systemd_makes_the_same_of_it() -> None:
    if not MACHINE_ID.exists() or not shutil.which("systemd-id128"):
        pytest.skip("no /etc/machine-id or no systemd-id128 here: apt-get install systemd")
    command = ["systemd-id128", "machine-id", f"--app-specific={APPLICATION.hex()}"]

    assert machine_id() == subprocess.check_output(command, text=True).strip()


@pytest.mark.parametrize("content", ["", "uninitialized\n", "xyz", b"\xff"])
def test_a_machine_without_an_id_has_none(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "machine-id"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    assert machine_id(file) == ""
    assert machine_id(tmp_path / "none") == ""

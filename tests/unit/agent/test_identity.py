"""Who this host is, fit for the wire."""

import socket

import pytest

from agent.identity import host_name, kernel_boot_id


@pytest.mark.parametrize(
    ("given", "made"), [("lb-eu-17", "lb-eu-17"), ("my host", "my-host"), ("-x", "x"), ("", "localhost")]
)
def test_a_hostname_is_made_fit_for_the_wire(given: str, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: given)

    assert host_name() == made


def test_the_boot_is_known() -> None:
    assert len(kernel_boot_id()) == 36

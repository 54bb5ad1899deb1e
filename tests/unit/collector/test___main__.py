"""The program as a whole: help, usage, faults."""

import subprocess
import sys

import pytest

from collector import __main__
from collector.__main__ import main
from collector.commands import migrate

COMMANDS = [
    [],
    ["serve"],
    ["migrate"],
    ["token"],
    ["token", "create"],
    ["token", "list"],
    ["token", "revoke"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "example:\n  portgauge-collector " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["brew"], ["serve", "--port", "1"], ["token"], ["token", "revoke"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: portgauge-collector" in capsys.readouterr().err


def test_a_fault_of_ours_is_loud_and_status_1(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(migrate, "location_of", fails)
    assert main(["migrate"]) == __main__.FAULT
    assert "ZeroDivisionError" in caplog.text


def test_an_interrupt_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(migrate, "location_of", interrupted)
    assert main(["migrate"]) == __main__.INTERRUPTED


def test_a_command_does_not_wait_for_what_only_serving_needs() -> None:
    """Charts and forecasts are a second of CPU to load, and scripts call commands one after the other."""
    asked = "import sys; from collector.__main__ import parser; parser(); print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", asked], text=True).split())
    assert "sqlalchemy" in loaded
    assert loaded & {"matplotlib", "numpy", "apprise", "collector.run"} == set()

"""`rollout`."""

import json
from pathlib import Path

import pytest

from collector.__main__ import main


def test_a_rollout_is_started_seen_paused_and_aborted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = ["--database", str(tmp_path / "x.db")]
    main(["migrate", *database])
    capsys.readouterr()
    main(["rollout", "status", *database])
    assert capsys.readouterr().out == "nothing was rolled out yet\n"
    settings = tmp_path / "tune.toml"
    settings.write_text("interval_s = 5\n[labels]\ntier = '1'\n")
    start = ["rollout", "start", "--settings", str(settings), "--role", "edge", "--canary", "lb1", "--reason", "CHG-1"]
    assert main([*start, "--steps", "50,100", "--bake", "5m", *database]) == 0
    started = capsys.readouterr()
    number = started.out.strip()
    assert "no host that has reported is meant" in started.err
    main(["rollout", "status", *database])
    assert capsys.readouterr().out.rstrip().endswith("lb1: no host of this name that it is for has reported")
    assert main(["rollout", "pause", number, *database]) == 0
    assert main(["rollout", "abort", number, *database]) == 0
    main(["rollout", "status", "--json", *database])
    [item] = json.loads(capsys.readouterr().out)["items"]
    assert (item["state"], item["steps"], item["bake_s"], item["canaries"]) == ("aborted", [50, 100], 300, ["lb1"])
    assert item["where"]["role"] == ["edge"]
    assert main(["rollout", "resume", number, *database]) == 2
    assert "rollout 1 is aborted: no resume" in capsys.readouterr().err
    main(["rollout", "status", *database])
    assert "CHG-1" in capsys.readouterr().out


def test_settings_that_could_not_work_are_refused_with_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "tune.toml"
    settings.write_text('token_file = "/etc/shadow"\n')
    assert main(["rollout", "start", "--settings", str(settings), "--reason", "x", "--database", "x.db"]) == 2
    assert "settings.token_file: unknown key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--steps", "50,25"), "options: steps: percentages are needed that ascend"),
        (("--most-cpu-share", "7"), "options: most_cpu_share: a share of one core"),
    ],
)
def test_a_mistake_in_an_option_is_not_looked_for_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str], why: str
) -> None:
    settings = tmp_path / "tune.toml"
    settings.write_text("interval_s = 5\n")
    start = ["rollout", "start", "--settings", str(settings), "--reason", "x", "--database", "x.db"]
    assert main([*start, *option]) == 2
    assert why in capsys.readouterr().err

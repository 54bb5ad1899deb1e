"""`rules`."""

import json
from pathlib import Path

import pytest

from collector.__main__ import main

STORY = """
until_s = 60
[[beat]]
at_s = 0
held = 26000
[[beat]]
at_s = 10
held = 100
"""


def test_rules_that_can_work_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('[[rule]]\nname = "x"\nseverity = "page"\nraise_at = 0.9\n')
    assert main(["rules", "check", str(config)]) == 0
    assert capsys.readouterr().out == f"{config}: 1 rules, all can work\n"


def test_a_mistake_is_named_with_line_key_and_nearest_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('[[rule]]\nname = "x"\nseverity = "page"\ncondition = "ocupancy"\nraise_at = 0.9\n')
    assert main(["rules", "check", str(config)]) == 2
    said = capsys.readouterr().err
    assert f"{config}:4: rule[0].condition: " in said
    assert "did you mean 'occupancy'" in said


def test_what_is_watched_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "built-in  page  pool-nearly-full     pool occupancy ≥ 0.85, clear < 0.75" in lines
    assert any(line.startswith("built-in  page  pool-spent-soon      pool seconds-until-spent ≤ 900") for line in lines)
    assert main(["rules", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["items"]) == len(lines)


def test_a_rule_of_a_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('[[rule]]\nname = "x"\nseverity = "page"\nraise_at = 0.9\n')
    assert main(["rules", "list", "--config", str(config)]) == 0
    assert capsys.readouterr().out.split()[:3] == ["file", "page", "x"]


def test_a_story_is_played_to_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = tmp_path / "story.toml"
    story.write_text(STORY)
    assert main(["rules", "test", str(story)]) == 0
    heard = [line.split()[2:5] for line in capsys.readouterr().out.splitlines()]
    assert heard[:2] == [["firing", "pool-nearly-full", "lb1:"], ["resolved", "pool-nearly-full", "lb1:"]]


@pytest.mark.parametrize(("state", "status"), [("firing", 0), ("resolved", 1)])
def test_a_story_that_says_what_is_heard_is_held_against_it(tmp_path: Path, state: str, status: int) -> None:
    story, config = tmp_path / "story.toml", tmp_path / "collector.toml"
    config.write_text('[[rule]]\nname = "x"\nseverity = "page"\nraise_at = 0.9\n')
    story.write_text(f'[[beat]]\nat_s = 0\nheld = 26000\n[[heard]]\nat_s = 0\nstate = "{state}"\nrule = "x"\n')
    assert main(["rules", "test", str(story), "--config", str(config)]) == status

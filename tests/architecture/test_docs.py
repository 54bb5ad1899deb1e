"""What can be set is documented, and what is documented is true."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.reload import PART_OF
from collector.alerts.builtin import BUILT_IN
from collector.alerts.rehearsal import Rehearsal, rehearse
from collector.alerts.rules import Rule
from collector.alerts.where import Where
from collector.config import Config
from collector.notify.settings import ChannelSettings
from shared.settings import build
from tools import configuration

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("kind", [AgentConfig, Config, Rule, Where, ChannelSettings])
def test_every_key_is_documented_in_the_code_and_so_on_the_page(kind: type) -> None:
    told = configuration.texts(kind)

    assert [one.name for one in dataclasses.fields(kind) if not told[one.name]] == []
    assert f"<!-- keys: {kind.__name__}, by python -m tools.configuration -->" in CONFIGURATION


def test_the_tables_of_keys_are_those_of_the_code() -> None:
    assert configuration.written(CONFIGURATION) == CONFIGURATION, "python -m tools.configuration"


def test_what_the_code_cannot_tell_of_a_default_is_told_of_keys_that_there_are() -> None:
    for table in configuration.TABLES:
        keys = {one.name for one in dataclasses.fields(table.kind)}
        assert {*table.defaults, *table.more} <= keys


def test_every_key_of_the_agent_says_what_a_reload_begins_anew() -> None:
    """A key that agent.reload does not know would be ignored by a reload without a word."""
    assert PART_OF.keys() == {one.name for one in dataclasses.fields(AgentConfig)}


def test_the_built_in_rules_are_those_of_the_document() -> None:
    (example,) = re.findall(r"Built in:\n\n```toml\n(.*?)```", CONFIGURATION, re.DOTALL)

    assert build(Config, tomllib.loads(example), "docs").rule == BUILT_IN


def test_the_rules_that_are_shown_do_with_the_story_what_is_said() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    rules, story = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    rehearsal = build(Rehearsal, story, "docs")

    heard = rehearse(build(Config, rules, "docs").rule, rehearsal)

    assert [(one.at_s, one.state, one.rule) for one in heard] == [
        (one.at_s, one.state, one.rule) for one in rehearsal.heard
    ]
    for one in heard:
        assert f"{one.at_s:>8g} s  {one.state:<8}  {one.rule}  {one.subject}" in page

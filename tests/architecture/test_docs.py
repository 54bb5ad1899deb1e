"""What can be set is documented, and what is documented is true."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.reload import PART_OF
from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.where import Where
from collector.config import Config
from collector.notify.settings import ChannelSettings
from shared.settings import build

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("kind", [AgentConfig, Config, Rule, Where, ChannelSettings])
def test_every_key_is_documented(kind: type) -> None:
    missing = [
        one.name for one in dataclasses.fields(kind) if not re.search(rf"`(\[\[)?{one.name}(\]\])?`", CONFIGURATION)
    ]

    assert missing == []


def test_every_key_of_the_agent_says_what_a_reload_begins_anew() -> None:
    """A key that agent.reload does not know would be ignored by a reload without a word."""
    assert PART_OF.keys() == {one.name for one in dataclasses.fields(AgentConfig)}


def test_the_built_in_rules_are_those_of_the_document() -> None:
    (example,) = re.findall(r"Built in:\n\n```toml\n(.*?)```", CONFIGURATION, re.DOTALL)

    assert build(Config, tomllib.loads(example), "docs").rule == BUILT_IN


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []

"""What a fleet may set on its agents."""

import dataclasses
from typing import Any

import pytest

from agent.config import AgentConfig
from shared.settings import SettingsError, build
from shared.tuning import Tuning


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"interval_s": 0}, "interval_s"),
        ({"cpu_share": 2.0}, "cpu_share"),
        ({"thresholds": [0.9, 0.5]}, "thresholds"),
        ({"most_pools": 0}, "most_pools"),
        ({"labels": {"a b": "c"}}, "labels"),
        ({"labels": {"role": "core"}}, "labels.role"),
        ({"collector": "http://evil"}, "collector"),
        ({"token_file": "/etc/shadow"}, "token_file"),
        ({"spool_dir": "/"}, "spool_dir"),
    ],
)
def test_what_could_not_work_or_is_not_the_fleets_is_refused(given: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build(Tuning, given, "x")
    assert caught.value.key == key


def test_it_comes_back_from_a_document_as_it_was() -> None:
    made = Tuning(interval_s=5.0, thresholds=(0.5, 1.0), labels={"tier": "1"})
    assert build(Tuning, made.document(), "x") == made
    assert made.document() == {"interval_s": 5.0, "thresholds": [0.5, 1.0], "labels": {"tier": "1"}}


def test_each_of_its_keys_is_one_of_the_agents_own() -> None:
    assert {one.name for one in dataclasses.fields(Tuning)} < {one.name for one in dataclasses.fields(AgentConfig)}

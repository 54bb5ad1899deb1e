"""Which rules are in force, and where each comes from."""

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.ruleset import (
    CannotChange,
    Made,
    Origin,
    in_force,
    require_changeable,
    require_known_channels,
)
from shared.settings import InvalidValue


def a_rule(name: str, raise_at: float = 0.5, channels: tuple[str, ...] = ()) -> Rule:
    return Rule(name=name, severity="page", raise_at=raise_at, channels=channels)


def made(*names: str) -> list[Made]:
    return [Made(a_rule(name, 0.9), "token x", 7) for name in names]


FILE = (a_rule("a"), a_rule("b"))


def test_the_files_rules_win_for_the_names_they_define() -> None:
    found = in_force(FILE, made("z", "b", "c"))
    assert [(one.rule.name, one.origin, one.rule.raise_at) for one in found] == [
        ("a", Origin.FILE, 0.5),
        ("b", Origin.FILE, 0.5),
        ("c", Origin.API, 0.9),
        ("z", Origin.API, 0.9),
    ]
    assert [(one.author, one.changed_ms) for one in found[1:3]] == [(None, None), ("token x", 7)]


def test_a_rule_that_was_made_goes_before_a_built_in_one_of_its_name() -> None:
    found = in_force(BUILT_IN, made("pool-half-full"))
    assert len(found) == len(BUILT_IN)
    [mine] = [one for one in found if one.rule.name == "pool-half-full"]
    assert (mine.origin, mine.rule.raise_at) == (Origin.API, 0.9)
    assert {one.origin for one in found if one is not mine} == {Origin.BUILT_IN}


def test_only_what_the_file_defines_cannot_be_changed() -> None:
    require_changeable(FILE, "c")
    require_changeable(BUILT_IN, "pool-half-full")
    with pytest.raises(CannotChange, match="configuration file defines the rule 'b'"):
        require_changeable(FILE, "b")


def test_a_channel_that_nobody_configured_is_named_with_the_nearest() -> None:
    require_known_channels("channels", a_rule("a", channels=("log", "ops")), ["ops"])
    with pytest.raises(InvalidValue, match="did you mean 'ops'"):
        require_known_channels("channels", a_rule("a", channels=("osp",)), ["ops"])
    with pytest.raises(InvalidValue, match="known: log, ops"):
        require_known_channels("channels", a_rule("a", channels=("pager",)), ["ops"])

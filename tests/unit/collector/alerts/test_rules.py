"""Rules as data."""

import pytest

from collector.alerts.rules import InvalidRule, Rule


def a_rule_with(**changes: object) -> Rule:
    values = {"name": "hot", "severity": "plan", "raise_at": 0.7, "clear_at": 0.6, "hold_s": 0.0} | changes
    return Rule(**values)  # type: ignore[arg-type] # some are wrong on purpose


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"severity": "pgae"}, "severity is one of plan, page, not 'pgae'; did you mean 'page'"),
        ({"subject": "hots"}, "did you mean 'host'"),
        ({"condition": "ocupancy"}, "did you mean 'occupancy'"),
        ({"subject": "host"}, "occupancy is of a pool, not of a host"),
        ({"condition": "silent", "subject": "host"}, "silent holds or does not: leave raise_at out"),
        ({"condition": "headroom", "raise_at": 100, "clear_at": 50}, "raise_at <= clear_at"),
        ({"condition": "failures", "raise_at": None}, "raise_at is required"),
        ({"level": 0.5}, "occupancy has no level"),
        ({"condition": "share-above", "subject": "fleet"}, "needs the occupancy"),
        ({"condition": "share-above", "subject": "fleet", "level": 50.0}, "0 < level <= 1"),
        ({"keep_s": -1.0}, "keep_s"),
        ({"clear_at": 0.8}, "clear_at <= raise_at"),
        ({"clear_at": 0.0}, "0 < clear_at"),
        ({"raise_at": 1.1}, "raise_at <= 1"),
        ({"raise_at": float("nan")}, "raise_at <= 1"),
        ({"hold_s": -1.0}, "hold_s"),
        ({"hold_s": float("inf")}, "hold_s"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
    ],
)
def test_a_rule_that_could_never_work_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidRule, match=why):
        a_rule_with(**changes)


def test_hold_seconds_may_be_fractions() -> None:
    assert a_rule_with(hold_s=0.25).hold_ms == 250


def test_levels_are_turned_so_that_more_is_worse() -> None:
    assert a_rule_with().levels == (0.7, 0.6)
    assert a_rule_with(condition="headroom", raise_at=100.0, clear_at=500.0).levels == (-100.0, -500.0)
    assert a_rule_with(condition="failures", raise_at=2.0, clear_at=None).levels == (2.0, 2.0)


def test_a_mistake_names_its_key() -> None:
    with pytest.raises(InvalidRule) as caught:
        a_rule_with(severity="loud")
    assert caught.value.key == "severity"

"""Rules as data."""

import pytest

from collector.alerts.rules import BUILT_IN, InvalidRule, Rule


def a_rule_with(**changes: object) -> Rule:
    values = {"name": "hot", "severity": "warning", "raise_at": 0.7, "clear_at": 0.6, "hold_s": 0.0} | changes
    return Rule(**values)  # type: ignore[arg-type] # some are wrong on purpose


def test_the_built_in_rules_clear_below_where_they_raise() -> None:
    """Or a pool that hovers at the threshold would be told again and again."""
    assert all(rule.clear_at < rule.raise_at for rule in BUILT_IN)


def test_the_built_in_critical_rule_does_not_wait() -> None:
    critical = next(rule for rule in BUILT_IN if rule.severity == "critical")
    assert (critical.raise_at, critical.clear_at, critical.hold_ms) == (0.85, 0.75, 0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"severity": "page"}, "severity is one of warning, critical"),
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

"""The rules that watch where nobody wrote any."""

from collector.alerts.builtin import BUILT_IN


def test_no_two_have_one_name() -> None:
    assert len({rule.name for rule in BUILT_IN}) == len(BUILT_IN)


def test_levels_stand_apart_where_values_breathe() -> None:
    """Or a pool that hovers at the threshold would be told again and again; what counts events has a keep time."""
    together = [rule.name for rule in BUILT_IN if rule.raise_at is not None and rule.levels[0] == rule.levels[1]]
    assert together == [rule.name for rule in BUILT_IN if rule.keep_s]


def test_a_pool_nearly_full_does_not_wait() -> None:
    rule = next(rule for rule in BUILT_IN if rule.name == "pool-nearly-full")
    assert (rule.severity, rule.raise_at, rule.clear_at, rule.hold_ms) == ("page", 0.85, 0.75, 0)

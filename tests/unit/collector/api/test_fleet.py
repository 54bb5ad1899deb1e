"""How a query becomes a window. The answers are in tests/contract/collector/trends/test_rank.py."""

import pytest

from collector.api.fleet import shares_of, window_of
from collector.api.params import Params
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE_MS


@pytest.mark.parametrize(
    ("days", "step_ms"), [(1 / 24, MINUTE_MS), (1, 12 * MINUTE_MS), (7, 2 * HOUR_MS), (30, 6 * HOUR_MS)]
)
def test_long_windows_are_told_in_whole_hours(days: float, step_ms: int) -> None:
    params = Params([("from", str((100 - days) * 86_400)), ("to", str(100 * 86_400))], ("from", "to", "step"))
    assert window_of(params, 100 * DAY_MS).step_ms == step_ms


def test_quantiles_as_asked() -> None:
    assert shares_of(Params([("quantiles", "0.5,1")], ("quantiles",))) == (0.5, 1.0)

"""Which hours a query asks for. The answers are in tests/contract/collector/trends/test_rank.py."""

import pytest

from collector.api.params import InvalidParameter, Params
from collector.api.top import hours_of
from collector.history.tiers import DAY_MS, Keep, Reach

REACH = Reach(100 * DAY_MS, Keep())


def asked(**query: str) -> tuple[int, int]:
    return hours_of(Params([*query.items()], ("from", "to")), REACH, DAY_MS)


def test_the_last_day_unless_told_otherwise() -> None:
    assert asked() == (99 * DAY_MS + 1, 100 * DAY_MS + 1)
    assert asked(to="86400") == (0, DAY_MS)


def test_peaks_are_not_kept_for_ever() -> None:
    with pytest.raises(InvalidParameter, match="30 days"):
        asked(**{"from": "0"})

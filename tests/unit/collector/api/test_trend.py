"""Which window a query means. What is answered is tested in tests/contract."""

import pytest

from collector.api.params import InvalidParameter, Params
from collector.api.trend import default_step_ms, window_of
from tests.builders import NOON_MS

KNOWN = ("from", "to", "step")


def test_the_default_is_the_last_hour() -> None:
    window = window_of(Params([], KNOWN), NOON_MS, 10_000)
    assert (window.to_ms - window.from_ms, window.step_ms) == (3_600_000, 30_000)
    assert window.index(NOON_MS) == len(window) - 1


def test_steps_are_no_finer_than_the_host_reports() -> None:
    """Or a chart of good data would be mostly gaps."""
    assert default_step_ms(60_000, 10_000) == 10_000


def test_a_tiny_window_has_steps_of_a_second() -> None:
    assert default_step_ms(1_000, 200) == 1_000


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"from": "1795348800", "to": "1795348800"}, "to"),
        ({"from": "0", "step": "1"}, "step"),
        ({"step": "0"}, "step"),
        ({"from": "yesterday"}, "from"),
    ],
)
def test_a_window_that_cannot_be_shown_is_refused_by_name(query: dict[str, str], parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        window_of(Params(list(query.items()), KNOWN), NOON_MS, 10_000)
    assert caught.value.parameter == parameter

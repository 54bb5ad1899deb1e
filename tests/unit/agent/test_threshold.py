"""Thresholds as monitoring plugins have them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.threshold import InvalidThreshold, at_least, parse_threshold


@pytest.mark.parametrize(
    ("text", "alerting", "calm"),
    [
        ("0.7", (0.7, 0.71, 1.0), (0.0, 0.69)),
        ("0:0.7", (0.71, 1.0), (0.0, 0.7)),
        (":0.7", (0.71, 1.0), (0.0, 0.7)),
        ("0.2:", (0.0, 0.19), (0.2, 1.0)),
        ("~:0.7", (0.71, 1.0), (0.0, 0.7)),
        ("0.2:0.7", (0.0, 0.19, 0.71), (0.2, 0.5, 0.7)),
        ("@0.2:0.7", (0.2, 0.5, 0.7), (0.0, 0.19, 0.71)),
        ("@0.7", (0.0, 0.7), (0.71,)),
        ("@0.7:", (0.7, 1.0), (0.69,)),
        ("~:", (), (0.0, 1.0)),
    ],
)
def test_a_range_alerts_as_the_guidelines_say_and_a_plain_share_from_itself_on(
    text: str, alerting: tuple[float, ...], calm: tuple[float, ...]
) -> None:
    made = parse_threshold(text)
    assert [share for share in (*alerting, *calm) if made.alerts(share)] == list(alerting)


@pytest.mark.parametrize(
    "text",
    ["", "x", "@", ":", "0", "70", "-0.5", "0.7:0.2", "0.2:70", "~", "@~", "0.1:0.2:0.3", "\u0663", "nan", "1e-3"],
)
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(InvalidThreshold, match=r"0\.2:0\.85"):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("0.7", "209"),
        ("0:0.7", "210"),
        ("0.2:", "60:"),
        ("~:0.7", "~:210"),
        ("0.2:0.7", "60:210"),
        ("@0.2:0.7", "@60:210"),
        ("@0:0.7", "@0:210"),
        ("~:", "~:"),
    ],
)
def test_beside_counts_it_is_written_in_counts(text: str, ports: str) -> None:
    assert parse_threshold(text).of_ports(300) == ports


@given(st.integers(1, 65_535), st.integers(1, 100), st.data())
def test_the_counts_alert_where_the_share_does(capacity: int, percent: int, data: st.DataObject) -> None:
    """A monitoring system that judges the performance data itself comes to the same end."""
    held = data.draw(st.integers(0, capacity))
    last_calm = int(at_least(percent / 100).of_ports(capacity))
    assert (held > last_calm) == (Fraction(held, capacity) >= Fraction(percent, 100))


@pytest.mark.parametrize("text", ["@0.7:", "0:0.7", "~:0.7", "@0.2:0.7", "0.2:"])
def test_it_is_told_as_it_was_typed(text: str) -> None:
    assert str(parse_threshold(text)) == text

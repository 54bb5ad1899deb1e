"""The fleet's quantiles as a drawing."""

from datetime import UTC
from xml.etree import ElementTree as ET

import pytest

from collector.trends.rank import Level
from collector.web.chart import SIZES, THEMES
from collector.web.levels import draw_levels
from tests.builders import NOON_MS

LEVELS = [Level(NOON_MS, 30, (0.1, 0.3, 0.8, 0.95)), Level(NOON_MS + 60_000, 0, (None,) * 4)]


@pytest.mark.parametrize("size", SIZES)
def test_each_quantile_is_named(size: str) -> None:
    svg = draw_levels(LEVELS, 60_000, THEMES["dark"], UTC, SIZES[size])
    drawn = " ".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own drawing
    for name in ("half of the pools", "9 in 10", "99 in 100", "the fullest", "unknown", "% of capacity held, UTC"):
        assert name in drawn
    known = draw_levels(LEVELS[:1], 60_000, THEMES["dark"], UTC, SIZES[size])
    assert "unknown" not in " ".join(ET.fromstring(known).itertext())  # noqa: S314 - our own drawing

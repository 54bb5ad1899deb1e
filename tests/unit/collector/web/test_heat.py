"""Cells and lines."""

from collector.web.heat import cells, spark


def test_a_cell_tells_its_number_and_unknown_is_no_number() -> None:
    assert [(cell.shade, cell.text) for cell in cells([None, 0.0, 0.5, 0.859, 1.0])] == [
        ("unknown", "?"),
        ("0", "0"),
        ("2", "50"),
        ("4", "85"),
        ("5", "100"),
    ]


def test_a_gap_in_a_line_stays_one() -> None:
    """Joined over the gap it would tell of calm that nobody saw."""
    made = spark([0.0, 1.0, None, 0.5, None])
    assert made.lines == ["0.0,19.0 25.0,1.0", "75.0,10.0 75.0,10.0"]
    assert made.words == "between 0 and 100 % in 24 h"


def test_a_pool_without_a_past_is_unknown() -> None:
    assert spark([None, None]).words == "unknown"
    assert spark([None, None]).lines == []

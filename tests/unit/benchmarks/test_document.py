"""Measured tables go between markers, and nothing else of the page changes."""

from pathlib import Path

import pytest

from benchmarks.document import replaced, write_section

PAGE = "# Speed\n<!-- sampling: begin -->\nold\n<!-- sampling: end -->\nprose\n"


def test_a_section_is_replaced_and_the_prose_kept() -> None:
    new = replaced(PAGE, "sampling", "new")

    assert new == PAGE.replace("old", "new")
    assert replaced(new, "sampling", "new") == new


@pytest.mark.parametrize("page", ["", "<!-- sampling: begin -->\n", "<!-- sampling: end -->\n"])
def test_a_page_without_both_markers_is_left_alone(page: str, tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(page)

    with pytest.raises(LookupError, match="sampling"):
        write_section("sampling", "new", path)

    assert path.read_text() == page

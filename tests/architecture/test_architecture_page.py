"""docs/architecture.md has a line for every module."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_layout import ROOT, modules

PAGE = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_module_has_its_line(module: Path) -> None:
    """Its own name, or its folder's with a slash."""
    names = [module.stem, *(f"{parent.name}/" for parent in module.parents if len(parent.parts) > 1)]

    assert any(re.search(rf"`{re.escape(name)}`", PAGE) for name in names), f"none of {names}"

"""`python -m tools.openapi`: write docs/openapi.json anew from the collector's code."""

import json
from pathlib import Path

from collector.api.openapi import document
from collector.api.routes import OPERATIONS, SNAPSHOTS

PAGE = Path(__file__).parents[1] / "docs" / "openapi.json"


def written() -> str:
    """The document as it is committed."""
    return json.dumps(document((*OPERATIONS, SNAPSHOTS)), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")

"""Putting measured tables into docs/performance.md, between markers, so that nobody copies figures by hand."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.fabricate import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "performance.md"


def replaced(document: str, name: str, text: str) -> str:
    """The document with `text` between the markers of section `name`, which it must have. Pure."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found_begin, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise LookupError(f"no {begin} … {end} in the document")
    return f"{before}{begin}\n{text}\n{end}{after}"


def write_section(name: str, text: str, path: Path = DOCUMENT) -> None:
    """Replace one section of the file."""
    path.write_text(replaced(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def measured_by(module: str) -> str:
    """The command as it was given, where and when: `python -m …` on Linux …."""
    command = " ".join(["python -m", module, *sys.argv[1:]])
    machine = f"Linux {platform.release()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    return f"`{command}` on {machine}, {datetime.now(UTC).date().isoformat()}."

"""Run the suite. Where pytest itself breaks, run what it left once more, by itself (docs/decisions/0191).

Nothing that failed is asked again: a run with a failure ends as it is.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PYTEST = (sys.executable, "-m", "pytest")


def main(arguments: Sequence[str]) -> int:
    """Answer the exit status of pytest, given its arguments."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "unfinished.json"
        status = subprocess.call([*PYTEST, "-p", "tests.unfinished", "--unfinished", file, *arguments])
        left = _left(file)
    if not left:
        return status
    print(f"{len(left)} tests that pytest left when it broke are run by themselves:", flush=True)
    return subprocess.call([*PYTEST, *left])


def _left(file: Path) -> list[str]:
    if (
        not file.exists()
    ):  # It did not break. Its exit status does not tell: it may be 0 where a worker took one test with it.
        return []
    told = json.loads(file.read_text())
    return [] if told["has_failed"] else list(told["left"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

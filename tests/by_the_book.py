"""Backup and restore by the lines of docs/rollout.md, run as they stand."""

import os
import re
import subprocess
from pathlib import Path

from tests.postgres import programs

PAGE = (Path(__file__).parents[1] / "docs" / "rollout.md").read_text()


def follow(kind: str, task: str, *, address: str, backup: Path) -> None:
    """Do what the page says: `back up` or `restore` a database of the kind `sqlite` or `postgresql`.

    `address` is what its lines take: a file, or a URL.
    """
    (lines,) = re.findall(rf"^```sh\n# {kind}: {task}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    known = {"DATABASE": address, "BACKUP": str(backup), "PATH": f"{programs()}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-euc", lines], capture_output=True, text=True, env=os.environ | known, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", "ok\n")

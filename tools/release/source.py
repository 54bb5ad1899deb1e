"""What a release is made from: this tree, its version (pyproject.toml, nowhere else) and the moment it stands for."""

import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """A tree of the project. `epoch_s` (Unix time) is the only time that any artifact knows."""

    root: Path
    version: str
    epoch_s: int

    @property
    def environment(self) -> dict[str, str]:
        """For programs that build: the moment, and nothing of this person's language or time zone."""
        told = {
            "SOURCE_DATE_EPOCH": str(self.epoch_s),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return {**os.environ, **told}


def source_of(root: Path) -> Source:
    """The tree at `root`. Raises SystemExit where nothing tells its moment."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return Source(root, version, _epoch_s(root))


def _epoch_s(root: Path) -> int:
    """SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch), else the time of the last commit."""
    if told := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(told)
    if not (root / ".git").exists():
        raise SystemExit(f"{root} is no git tree: say SOURCE_DATE_EPOCH=SECONDS, so that others get the same bytes")
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]  # git: whichever one the person uses
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

"""What is inside (a CycloneDX bill of materials a side), and the hashes of everything beside each other."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.release.source import Source

SIDES = ("agent", "collector")


def bill_of_materials(source: Source, side: str, into: Path) -> Path:
    """The packages that requirements/SIDE.lock pins, with licences and who needs whom, validated against its schema."""
    written = into / f"portgauge-{side}-{source.version}.cdx.json"
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as scratch:
        python = Path(scratch, "bin", "python")
        lock = source.root / "requirements" / f"{side}.lock"
        pinned: list[str | Path] = [
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--python",
            python,
            "--requirement",
            lock,
        ]
        about: list[str | Path] = [
            "--pyproject",
            source.root / "pyproject.toml",
            "--mc-type",
            "application",
            "--output-reproducible",
        ]
        commands: list[list[str | Path]] = [
            [programs / "uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, scratch],
            [programs / "uv", "pip", "install", *pinned],
            [programs / "cyclonedx-py", "environment", *about, "--output-file", written, python],
        ]
        for command in commands:
            subprocess.run(command, check=True, env=source.environment)
    return written


def write_sums(folder: Path) -> None:
    """SHA256SUMS of all files in `folder`: `sha256sum --check SHA256SUMS`."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines))

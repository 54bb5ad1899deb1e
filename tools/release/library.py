"""The agent and all it needs as one directory of plain Python: the same for every processor and Python from 3.11 on.

Of the pinned wheels only Python is kept. Each of them has a Python fallback beside its compiled module, and takes it by
itself where the compiled one is absent (docs/decisions/0080).
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.release.source import Source

OURS = ("agent", "shared")
OLDEST_PYTHON = "3.11"
LOCK = Path("requirements", "agent.lock")
_COMPILED = {".so", ".pyx", ".pxd", ".pxi", ".c", ".h", ".pyi", ".typed", ".hash"}
_INSTALLERS_OWN = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "entry_points.txt"}


def lay_out(source: Source, wheel: Path, into: Path) -> None:
    """Fill the new directory `into` from our `wheel` and those that requirements/agent.lock names by hash."""
    into.mkdir(parents=True)
    _install_pinned(source, into)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into, [name for name in archive.namelist() if _is_the_agents(name)])
    for path in sorted(into.rglob("*"), reverse=True):
        if path.is_file() and (path.suffix in _COMPILED or _is_of_installer(path)):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    shutil.rmtree(into / "bin", ignore_errors=True)
    (into / ".lock").unlink(missing_ok=True)


def licences(library: Path) -> dict[str, dict[str, str]]:
    """Of each distribution in `library` the texts of its licence: name and version → file → text."""
    found: dict[str, dict[str, str]] = {}
    for about in sorted(library.glob("*.dist-info")):
        texts = {
            path.relative_to(about).as_posix(): path.read_text()
            for path in sorted(about.rglob("*"))
            if path.is_file() and path.name not in {"METADATA", "WHEEL", "top_level.txt"}
        }
        found[about.name.removesuffix(".dist-info")] = texts
    return found


def _install_pinned(source: Source, into: Path) -> None:
    """For the oldest Python: later ones need nothing more. By uv: pip judges markers by the Python that it runs on."""
    command: list[str | Path] = [
        Path(sys.executable).parent / "uv",
        "pip",
        "install",
        "--quiet",
        "--target",
        into,
        "--no-deps",
    ]
    wanted = ["--python-version", OLDEST_PYTHON, "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:"]
    lock: list[str | Path] = ["--require-hashes", "--requirement", source.root / LOCK]
    subprocess.run([*command, *wanted, "--link-mode", "copy", *lock], check=True, env=source.environment)


def _is_the_agents(name: str) -> bool:
    return name.split("/", maxsplit=1)[0] in OURS or name.endswith(".dist-info/METADATA")


def _is_of_installer(path: Path) -> bool:
    return path.parent.suffix == ".dist-info" and path.name in _INSTALLERS_OWN

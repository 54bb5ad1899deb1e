"""The version before this one, installed beside it: built from git, over the libraries of this environment."""

import functools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEFORE_ENROLMENT = "d225fa6"
"""While there is no tag: the last state without enrolment, rollouts and a report of how the agent fares."""
UNRELEASED = f"0.0.0+{BEFORE_ENROLMENT}"
"""What that state is called here: its own number is that of today, since neither was released."""
GIT = ("git", "-C", str(ROOT))


@functools.cache
def commit() -> str:
    """The newest tag before the present commit; BEFORE_ENROLMENT where there is none."""
    tag = subprocess.run(
        [*GIT, "describe", "--tags", "--abbrev=0", "HEAD^"], capture_output=True, text=True, check=False
    )
    return tag.stdout.strip() or BEFORE_ENROLMENT


@functools.cache
def why_none() -> str | None:
    """Why it cannot be had here, as one line; None where it can."""
    if not (ROOT / ".git").exists():
        return "no .git here, as in an sdist: nothing to build the version before this one from"
    if not shutil.which("git"):
        return "git is not installed"
    command = [*GIT, "cat-file", "-e", f"{commit()}^{{commit}}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"git does not have {commit()} here: {found.stderr.partition(chr(10))[0]}" if found.returncode else None


def version(source: Path) -> str:
    """What the build of this source calls itself: a tag's own number, or UNRELEASED, which is written there."""
    project = source / "pyproject.toml"
    text = project.read_text()
    (own,) = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    if commit() != BEFORE_ENROLMENT:
        return str(own)
    project.write_text(text.replace(f'version = "{own}"', f'version = "{UNRELEASED}"'))
    return UNRELEASED


@dataclass(frozen=True, slots=True)
class Previous:
    """Where its programs are, and what they call themselves."""

    programs: Path
    version: str


def install(into: Path) -> Previous:
    """A venv with that version's wheel. Needs no network."""
    source = into / "source"
    packed = subprocess.check_output([*GIT, "archive", commit()])
    source.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", source], input=packed, check=True)
    called = version(source)
    _run("hatchling", "build", "--target", "wheel", "--directory", into, where=source)
    (wheel,) = into.glob("*.whl")
    venv = into / "venv"
    _run("venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    _run("uv", "pip", "install", "--quiet", "--offline", "--no-cache", "--no-deps", "--python", python, wheel)
    own = sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)})
    # Behind its own packages, ours; what is installed there by a .pth, like this tree, is not.
    (Path(own) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Previous(venv / "bin", called)


def _run(module: str, *arguments: str | Path, where: Path = ROOT) -> None:
    """Raises AssertionError with what it said."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

"""The Debian package of the agent, made by Debian's own tools from packaging/debian and the agent's directory."""

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from tools.release.library import licences
from tools.release.source import Source

NAME = "portgauge-agent"
PACKAGING = Path("packaging")
TOOLS = ("dpkg-buildpackage", "dh", "dh_python3")
_FOR_THE_DEBIAN_DIRECTORY = (
    "control",
    "rules",
    "po",
    f"{NAME}.install",
    f"{NAME}.manpages",
    f"{NAME}.templates",
    f"{NAME}.postrm",
    f"{NAME}.lintian-overrides",
)
_BESIDE_IT = ("agent.toml", NAME, "only-with-a-token.conf")


def missing_tools() -> list[str]:
    """Which of Debian's programs are not here."""
    return [tool for tool in TOOLS if not shutil.which(tool)]


def build(source: Source, library: Path, share: Path, into: Path) -> Path:
    """The package, in `into`, of the directories that library and share lay out.

    Raises CalledProcessError where Debian's tools fail, after they have said why.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, f"portgauge-{source.version}")
        _prepare(source, library, tree)
        shutil.copytree(share, tree / "share")
        command = ["dpkg-buildpackage", "--build=all", "--unsigned-changes", "--unsigned-buildinfo"]
        done = subprocess.run(command, cwd=tree, env=source.environment, check=False, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout, done.stderr)
            done.check_returncode()
        (made,) = Path(scratch).glob("*.deb")
        return Path(shutil.copy(made, into))


def _prepare(source: Source, library: Path, tree: Path) -> None:
    """A tree as Debian wants one: what to install, and debian/ saying where."""
    ours = source.root / PACKAGING / "debian"
    debian = tree / "debian"
    debian.mkdir(parents=True)
    for name in _FOR_THE_DEBIAN_DIRECTORY:
        one = ours / name
        (shutil.copytree if one.is_dir() else shutil.copy)(one, debian / name)
    for name in _BESIDE_IT:
        shutil.copy(ours / name, tree)
    texts = licences(library)
    shutil.copytree(library, tree / "library", ignore=_what_debian_says_elsewhere)
    systemd = source.root / PACKAGING / "systemd"
    (debian / f"{NAME}.service").write_text(_unit((systemd / f"{NAME}.service").read_text()))
    (debian / f"{NAME}.sysusers").write_text(_user((systemd / "portgauge.sysusers.conf").read_text()))
    (debian / "changelog").write_text(changelog(source))
    (debian / "copyright").write_text(copyright_of((ours / "copyright.head").read_text(), texts))


def changelog(source: Source) -> str:
    """One entry: CHANGELOG.md tells people, this tells dpkg version and moment."""
    when = format_datetime(datetime.fromtimestamp(source.epoch_s, UTC))
    return (
        f"portgauge ({source.version}) stable; urgency=medium\n\n  * What changed: CHANGELOG.md of portgauge.\n\n"
        f" -- The portgauge authors <portgauge@example.org>  {when}\n"
    )


def copyright_of(head: str, texts: dict[str, dict[str, str]]) -> str:
    """debian/copyright: `head` for our own files, then each library with its licence as it came."""
    stanzas = [head.rstrip("\n")]
    for name, files in texts.items():
        if files:
            paths = "\n".join(f"{file}:\n{_brief(text)}" for file, text in files.items())
            stanzas.append(f"Files: {_folder(name)}\nCopyright: its authors\nLicense: {name}\n{_indented(paths)}")
    return "\n\n".join(stanzas) + "\n"


def _folder(distribution: str) -> str:
    return f"library/{distribution.rsplit('-', 1)[0]}*"


def _brief(text: str) -> str:
    """A licence that every Debian system has is referred to, as Debian Policy 12.5 wants it."""
    if "Apache License" not in text or "TERMS AND CONDITIONS" not in text:
        return text
    holders = [line.strip() for line in text.splitlines() if line.strip().startswith("Copyright 2")]
    return "\n".join([*holders, "Apache-2.0, see /usr/share/common-licenses/Apache-2.0"])


def _indented(text: str) -> str:
    """As continuation lines of a Debian control file: one space in front, a dot where a line is empty."""
    return "\n".join(f" {line}" if line.strip() else " ." for line in text.replace("\f", "").splitlines())


def _unit(text: str) -> str:
    """The unit of packaging/systemd, for a program that Debian puts into /usr/bin."""
    return text.replace("/opt/portgauge/bin/", "/usr/bin/")


def _user(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith(f"u {NAME} "))


def _what_debian_says_elsewhere(folder: str, names: list[str]) -> list[str]:
    """Licences are in debian/copyright, dependencies in debian/control; only our own version is asked for."""
    del folder
    return [name for name in names if name.endswith(".dist-info") and not name.startswith("portgauge-")]

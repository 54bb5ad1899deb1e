"""What goes into /usr/share for both commands: man pages, and completion for bash, zsh and fish, from their parsers.

python -m tools.release.share --into DIR
"""

import argparse
import gzip
import importlib
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from tools.release.source import ROOT, Source, source_of

SECTION = 8
PLACES = {
    "bash": "bash-completion/completions/{0}",
    "zsh": "zsh/site-functions/_{0}",
    "fish": "fish/vendor_completions.d/{0}.fish",
}
"""Where each shell looks, under /usr/share or /usr/local/share."""
FILES = frozenset({"FILE", "STORY"})
FOLDERS = frozenset({"DIR"})
_SOMEBODYS_STATE = "/somebodys-state"
_UNWRAPPED = 10_000
_AS_TYPED = ".nh\n.ad l\n"
"""For troff: flags and values stay whole, and no line is stretched."""
_READABLE = 0o644


@dataclass(frozen=True, slots=True)
class Program:
    """A command, what whatis tells of it, and what makes its parser: a module's function, and its arguments."""

    name: str
    about: str
    module: str
    function: str
    arguments: tuple[object, ...] = ()

    def parser(self) -> argparse.ArgumentParser:
        """The parser with every command."""
        made = getattr(importlib.import_module(self.module), self.function)(*self.arguments)
        assert isinstance(made, argparse.ArgumentParser)
        return made


PROGRAMS = (
    Program(
        "portgauge-agent",
        "count ephemeral ports by pool and tell which runs out first",
        "agent.__main__",
        "parser",
        ((),),
    ),
    Program(
        "portgauge-collector", "keep what agents report, and alert before ports run out", "collector.__main__", "parser"
    ),
)


def main() -> None:
    """Write everything into a directory."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.release.share", description="Man pages and completion for shells, of both commands."
    )
    parser.add_argument(
        "--into", type=Path, metavar="DIR", required=True, help="like ~/.local/share or /usr/local/share"
    )
    lay_out(source_of(ROOT), parser.parse_args().into)


def lay_out(source: Source, into: Path) -> None:
    """Write everything into `into`. Of this process's environment only: it is one of its own."""
    # Help that names this person's directories, or fits this person's terminal, would be nobody else's.
    os.environ.update(XDG_STATE_HOME=_SOMEBODYS_STATE, COLUMNS=str(_UNWRAPPED))
    for program in PROGRAMS:
        parser = program.parser()
        _write(into / f"man/man{SECTION}/{program.name}.{SECTION}", man_page(program, parser, source))
        for action in _actions(parser):
            if action.metavar in FILES | FOLDERS:
                action.complete = shtab.FILE if action.metavar in FILES else shtab.DIRECTORY  # type: ignore[attr-defined]
        for shell, place in PLACES.items():
            _write(into / place.format(program.name), shtab.complete(parser, shell=shell))


def man_page(program: Program, parser: argparse.ArgumentParser, source: Source) -> str:
    """By its parser, and what packaging/man adds: files, environment, exit status."""
    about = {
        "project_name": "portgauge",
        "version": source.version,
        "manual_title": "portgauge",
        "manual_section": SECTION,
        "description": program.about,
    }
    page = Manpage(parser, about, format="single-commands-section")
    page.date = ""  # A day would tell when it was built, not what it tells.
    more = (source.root / "packaging" / "man" / f"{program.name}.{SECTION}").read_text()
    text = str(page).replace(".SH\nPOSITIONAL ARGUMENTS", ".SH COMMANDS").replace(_SOMEBODYS_STATE, "~/.local/state")
    head, rest = text.split("\n", 1)
    return f"{head}\n{_AS_TYPED}{rest.rstrip()}\n{more}"


def pack(share: Path, source: Source, into: Path) -> Path:
    """All of it as one archive, for where there is no package: the same bytes each time."""
    made = into / f"portgauge-share-{source.version}.tar.gz"
    with (
        made.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=source.epoch_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in sorted(share.rglob("*")):
            if path.is_file():
                entry = tarfile.TarInfo(path.relative_to(share).as_posix())
                entry.size, entry.mtime, entry.mode = path.stat().st_size, source.epoch_s, _READABLE
                with path.open("rb") as content:
                    archive.addfile(entry, content)
    return made


def _actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    """Of all commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to walk it
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()

"""Man pages and completion: of every command, taken by man and by the shells themselves, and the same each time."""

import argparse
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell import interactive
from tools.release import share
from tools.release.share import PLACES, PROGRAMS, SECTION, Program
from tools.release.source import ROOT, source_of

COMPLETED = {
    "bash": """
        source "$1"
        COMP_WORDS=(portgauge-agent "${@:2}") COMP_CWORD=$(($# - 1)) COMP_LINE="portgauge-agent ${*:2}"
        $(complete -p portgauge-agent | grep -o -- '-F [^ ]*' | cut -c4-) portgauge-agent "${@: -1}" ""
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "fish": """
        source $argv[1]
        complete --do-complete "portgauge-agent $argv[2..]" | string replace --regex '\\t.*' ''
    """,
}
"""What a shell offers after some words, the last of them unfinished, one a line."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a person makes it."""
    into = tmp_path_factory.mktemp("share")
    made: list[str | Path] = [sys.executable, "-m", "tools.release.share", "--into", into]
    subprocess.run(made, cwd=ROOT, check=True, env=source_of(ROOT).environment)
    return into


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Those that do something, not those that have others below them."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for one in action.choices.values():
            yield from commands(one)


def page(shared: Path, program: Program) -> Path:
    return shared / f"man/man{SECTION}/{program.name}.{SECTION}"


@pytest.mark.skipif(not shutil.which("man"), reason="man-db is not installed (make deps)")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.name)
def test_a_person_reads_every_command_and_flag_in_the_manual(shared: Path, program: Program) -> None:
    shown: list[str | Path] = ["man", "--warnings", "--encoding", "UTF-8", "--local-file", page(shared, program)]
    known = {"LC_ALL": "C.UTF-8", "MANWIDTH": "500", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(shown, env=known, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    for command in commands(program.parser()):
        assert command.prog in done.stdout
        flags = {flag for action in command._actions for flag in action.option_strings if flag.startswith("--")}
        assert [flag for flag in flags - {"--help"} if flag not in done.stdout] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.name)
def test_nothing_tells_of_whoever_made_it(shared: Path, program: Program) -> None:
    text = page(shared, program).read_text()
    assert share._SOMEBODYS_STATE not in text
    assert str(Path.home()) not in text
    assert text.startswith(f'.TH {program.name.upper().replace("-", chr(92) + "-")} "{SECTION}" "" ')


def offered(shell: str, shared: Path, *words: str) -> list[str]:
    script = shared / PLACES[shell].format("portgauge-agent")
    bare = {"bash": ["--noprofile", "--norc"], "fish": ["--no-config"]}[shell]
    command = [shell, *bare, "-c", COMPLETED[shell], *(["bash"] if shell == "bash" else []), str(script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("shell", COMPLETED)
def test_a_shell_offers_commands_and_their_flags(shared: Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed (make deps)")
    assert offered(shell, shared, "ex") == ["explain"]
    assert {"--warning", "--critical"} <= set(offered(shell, shared, "check", "--"))
    assert set(offered(shell, shared, "explain", "--protocol", "")) == {"tcp", "udp"}


INTERACTIVE = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], "PS1='ready> '; source {script}"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PROMPT='ready> '; LISTMAX=0; fpath=({script:h} $fpath); autoload -Uz compinit; compinit -D -u",
    ),
}
"""How each is started bare, and what a person's own start-up file would have."""


@pytest.mark.parametrize("shell", INTERACTIVE)
def test_a_person_who_presses_tab_is_helped_on(shared: Path, tmp_path: Path, shell: str) -> None:
    """In a real terminal: what was begun is ended, what may follow is listed."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed (make deps)")
    script = shared / PLACES[shell].format("portgauge-agent")
    command, begin = INTERACTIVE[shell]
    begin = begin.replace("{script:h}", str(script.parent)).replace("{script}", str(script))
    known = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "INPUTRC": "/dev/null",
    }
    with interactive(command, known) as person:
        person.type(f"{begin}; echo be''gun\n")
        person.until("begun", "ready> ")
        person.type("portgauge-agent ex\t")
        person.until("portgauge-agent explain")
        person.type("--prot\t")
        person.until("--protocol ")
        person.type("\t\t")
        person.until("tcp", "udp")
        person.type("\x15portgauge-agent check --\t\t")
        person.until("--warning", "--critical", "--verbose")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.name)
@pytest.mark.parametrize("shell", PLACES)
def test_a_shell_can_read_it(shared: Path, shell: str, program: Program) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed (make deps)")
    subprocess.run([shell, "-n", shared / PLACES[shell].format(program.name)], check=True)


def test_the_archive_holds_it_all_and_is_the_same_each_time(shared: Path, tmp_path: Path) -> None:
    source = source_of(ROOT)
    (tmp_path / "again").mkdir()
    first, again = share.pack(shared, source, tmp_path), share.pack(shared, source, tmp_path / "again")

    assert first.read_bytes() == again.read_bytes()
    there = {path.relative_to(shared).as_posix() for path in shared.rglob("*") if path.is_file()}
    with tarfile.open(first) as archive:
        assert set(archive.getnames()) == there
    assert len(there) == len(PROGRAMS) * (len(PLACES) + 1)


@pytest.mark.parametrize("side", ["agent", "collector"])
def test_hosts_carry_nothing_of_what_makes_it(side: str) -> None:
    """It is made when a release is; the agent's packages stay aiohttp and msgpack."""
    lock = (ROOT / "requirements" / f"{side}.lock").read_text()
    assert [one for one in ("shtab", "argparse-manpage") if f"{one}==" in lock] == []

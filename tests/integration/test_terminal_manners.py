"""Terminal manners: colours (none), what goes into pipes, what is written over, and where progress shows."""

import subprocess
from pathlib import Path

import pytest

from tests.agent_process import PROGRAM as AGENT
from tests.collector_process import PROGRAM as COLLECTOR
from tests.collector_process import a_token, migrated, serving
from tests.secret import a_secret
from tests.terminal import in_terminal

ESCAPE = "\x1b"
COMMANDS = [("pools",), ("check",), ("advise",), ("--help",), ("pools", "--help")]


def own(words: tuple[str, ...]) -> list[str | Path]:
    """Of the network namespace of this test."""
    return [AGENT, *words, *(() if "--help" in words else ("--netns", "own"))]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("no_color", [{}, {"NO_COLOR": "1"}], ids=["as it is", "NO_COLOR"])
def test_a_terminal_gets_text_without_colours(words: tuple[str, ...], no_color: dict[str, str]) -> None:
    """Bars and words say how bad it is; so NO_COLOR (no-color.org) asks for nothing that is not so."""
    seen = in_terminal(own(words), env=no_color)
    assert seen.terminal
    assert ESCAPE not in seen.terminal


def watching(**env: str) -> str:
    """What `pools --watch` writes into a terminal within a moment."""
    with_timeout: list[str | Path] = ["timeout", "--foreground", "--signal=INT", "4"]
    return in_terminal([*with_timeout, *own(("pools", "--watch", "--interval", "0.2"))], env=env).terminal


def test_a_live_view_is_written_over_where_the_terminal_can() -> None:
    assert watching(TERM="xterm").count(f"{ESCAPE}[H") > 1
    assert ESCAPE not in watching(TERM="dumb")


def test_a_live_view_into_a_pipe_is_plain() -> None:
    command: list[str | Path] = ["timeout", "--signal=INT", "4", *own(("pools", "--watch", "--interval", "0.2"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "a pool can lend" in done.stdout
    assert ESCAPE not in done.stdout + done.stderr


def test_migrate_tells_each_step_to_a_person_and_not_to_a_pipe(tmp_path: Path) -> None:
    seen = in_terminal([COLLECTOR, "migrate", "--database", tmp_path / "one.db"], is_piped=True)
    assert seen.terminal.startswith("Running upgrade  -> 0001")
    assert seen.piped.startswith(f"{tmp_path / 'one.db'}: migrated to schema")

    command: list[str | Path] = [COLLECTOR, "migrate", "--database", tmp_path / "two.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_export_tells_how_far_it_is_beside_what_it_writes(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    token = a_secret(tmp_path / "token", a_token(database, "--scope", "read"))
    with serving(database) as collector:
        ask: list[str | Path] = [COLLECTOR, "export", "--url", collector.url, "--token-file", token]
        into_pipe, on_screen = in_terminal(ask, is_piped=True), in_terminal(ask)
        assert collector.stop(within_s=30) == 0

    assert into_pipe.piped.startswith("at_ms,host,")
    assert "0.0 MB in " in into_pipe.terminal
    assert on_screen.terminal.replace("\r\n", "\n") == into_pipe.piped

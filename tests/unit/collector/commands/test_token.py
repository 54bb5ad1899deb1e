"""`token create`, `token list`, `token revoke`."""

import json
from pathlib import Path

import pytest

from collector.__main__ import main
from shared.token import parse


class Tokens:
    """The command, on one database."""

    def __init__(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._database, self._capsys = str(database), capsys
        main(["migrate", "--database", self._database])
        capsys.readouterr()

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        status = main(["token", *arguments, "--database", self._database])
        shown = self._capsys.readouterr()
        return status, shown.out, shown.err


@pytest.fixture
def token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tokens:
    return Tokens(tmp_path / "x.db", capsys)


def test_create_prints_the_token_and_nothing_else(token: Tokens) -> None:
    """It is redirected into a file."""
    status, out, err = token("create", "--scope", "push", "--host", "lb1")
    assert (status, err) == (0, "")
    assert parse(out.removesuffix("\n"))


def test_list_shows_what_they_are_for_and_never_the_secret(token: Tokens) -> None:
    _, made, _ = token("create", "--scope", "push", "--host", "lb1")
    parsed = parse(made.strip())
    assert parsed
    for arguments in (["list"], ["list", "--json"]):
        _, out, _ = token(*arguments)
        assert parsed[0] in out
        assert "lb1" in out
        assert parsed[1] not in out


def test_list_as_json_can_be_read_by_a_program(token: Tokens) -> None:
    token("create", "--scope", "read")
    [item] = json.loads(token("list", "--json")[1])["items"]
    assert (item["scope"], item["host"], item["revoked_ms"]) == ("read", None, None)


def test_revoke_ends_a_life_once(token: Tokens) -> None:
    parsed = parse(token("create", "--scope", "read")[1].strip())
    assert parsed
    assert token("revoke", parsed[0]) == (0, "", "")
    assert "revoked" in token("list")[1]
    status, _, err = token("revoke", parsed[0])
    assert status == 2
    assert "no living token has the id" in err


def test_only_a_push_token_has_a_host(token: Tokens) -> None:
    status, out, err = token("create", "--scope", "read", "--host", "lb1")
    assert (status, out) == (2, "")
    assert "leave it out" in err


def test_a_scope_nobody_knows_is_a_usage_error(token: Tokens, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        token("create", "--scope", "everything")
    assert caught.value.code == 2
    assert "push" in capsys.readouterr().err


def test_a_host_without_a_living_token_is_neither_rotated_nor_revoked(token: Tokens) -> None:
    for action in ("rotate", "revoke"):
        status, _, err = token(action, "--host", "lb9")
        assert status == 2
        assert "no living token is bound to host 'lb9'" in err


def test_a_join_token_says_how_many_hosts_it_still_lets_in(token: Tokens) -> None:
    token("create", "--scope", "join", "--uses", "40", "--role", "edge", "--expires", "2h")
    [item] = json.loads(token("list", "--json")[1])["items"]
    assert (item["scope"], item["uses_left"], item["role"]) == ("join", 40, "edge")
    assert item["expires_ms"] - item["created_ms"] == 7_200_000
    assert "role edge, 40 left  until" in token("list")[1]

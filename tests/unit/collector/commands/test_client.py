"""Whom to ask, and as whom."""

from pathlib import Path

import pytest

from collector.commands.client import CannotAsk, Client, client_of


def test_options_go_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("first\n")
    two.write_text("second\n")
    monkeypatch.setenv("PORTGAUGE_TOKEN_FILE", str(one))
    monkeypatch.setenv("PORTGAUGE_URL", "http://collector:1")
    assert client_of(None, None, None) == Client("http://collector:1", "first")
    assert client_of("http://other:2", two, None) == Client("http://other:2", "second")


def test_without_a_token_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTGAUGE_TOKEN_FILE", raising=False)
    with pytest.raises(CannotAsk, match="token create --scope read"):
        client_of(None, None, None)


@pytest.mark.parametrize(("url", "why"), [("file:///etc", "no address"), ("http://127.0.0.1:1", "does not answer")])
def test_where_nobody_answers_it_says_so(url: str, why: str) -> None:
    with pytest.raises(CannotAsk, match=why):
        Client(url, "token").ask("/v1/hosts", {})

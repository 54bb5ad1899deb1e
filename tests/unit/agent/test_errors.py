"""Errors name the place, never the secret."""

from pathlib import Path

from agent.errors import TokenUnreadable


def test_a_token_error_names_the_file() -> None:
    assert str(TokenUnreadable(Path("/etc/t"), "gone")) == "the token file /etc/t cannot be used: gone"

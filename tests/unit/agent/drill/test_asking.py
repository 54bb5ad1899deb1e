from pathlib import Path

import pytest

from agent.drill.asking import Collector, NoAnswer, opened
from agent.secret_file import SecretExposed
from tests.secret import a_secret


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="not a collector's address"):
        opened("file:///etc/passwd", a_secret(tmp_path / "token", "t"), None)


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token = a_secret(tmp_path / "token", "t")
    token.chmod(0o644)
    with pytest.raises(SecretExposed, match="chmod 600"):
        opened("http://127.0.0.1:9", token, None)


def test_a_missing_token_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="nowhere"):
        opened("http://127.0.0.1:9", tmp_path / "nowhere", None)


def test_a_collector_that_is_not_there_is_said_so() -> None:
    with pytest.raises(NoAnswer, match="refused"):
        Collector("http://127.0.0.1:9", "t").items("/v1/rules")

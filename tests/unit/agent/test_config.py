"""What can be set, and what cannot."""

from pathlib import Path
from typing import Any

import pytest

from agent.config import AgentConfig, InvalidConfig, default_spool_dir


def a_config(**changes: Any) -> AgentConfig:
    return AgentConfig(**{"collector": "http://127.0.0.1:8766", "token_file": Path("token"), "host": "lb1", **changes})


def test_the_role_travels_as_a_label() -> None:
    assert a_config(role="edge", labels={"site": "eu"}).all_labels == {"site": "eu", "role": "edge"}
    assert a_config().all_labels == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("collector", "127.0.0.1:8766"),
        ("collector", "ftp://x"),
        ("collector", "http://"),
        ("collector", "http://x:port"),
        ("host", "a b"),
        ("host", ""),
        ("host", "x" * 254),
        ("interval_s", 0.0),
        ("interval_s", 1e9),
        ("most_pools", 0),
        ("most_pools", 1_000_000),
        ("spool_max_bytes", 10),
        ("spool_max_age_s", 0.0),
        ("log_level", "loud"),
        ("labels", {"a b": "x"}),
        ("labels", {"a": "x\ny"}),
    ],
)
def test_a_value_that_cannot_work_is_named(key: str, value: object) -> None:
    with pytest.raises(InvalidConfig) as caught:
        a_config(**{key: value})

    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: need")


def test_the_spool_lies_where_systemd_or_the_user_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert default_spool_dir() == Path("/srv/state/portgauge/agent")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/portgauge:/other")
    assert default_spool_dir() == Path("/var/lib/portgauge")

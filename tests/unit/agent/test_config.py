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
        ("collector", "http://user:password@x"),
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
        ("log_files", (Path("x"),) * 17),
        ("journal", ("--merge",)),
        ("listen", "nonsense"),
        ("listen", "0.0.0.0:9766"),
        ("listen", "[::]:9766"),
        ("listen", "10.0.0.1:9766"),
        ("listen", "unix:relative.sock"),
        ("labels", {"a b": "x"}),
        ("labels", {"a": "x\ny"}),
    ],
)
def test_a_value_that_cannot_work_is_named(key: str, value: object) -> None:
    with pytest.raises(InvalidConfig) as caught:
        a_config(**{key: value})

    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: need")


@pytest.mark.parametrize(
    "listen", ["unix:/run/portgauge/agent.sock", "127.0.0.1:9766", "[::1]:0", "localhost:9766", ""]
)
def test_what_only_this_host_can_ask_may_be_listened_on(listen: str) -> None:
    assert a_config(listen=listen).listen == listen


def test_other_hosts_may_ask_where_that_is_said_explicitly() -> None:
    assert a_config(listen="0.0.0.0:9766", listen_beyond_loopback=True).listen == "0.0.0.0:9766"


def test_the_spool_lies_where_systemd_or_the_user_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert default_spool_dir() == Path("/srv/state/portgauge/agent")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/portgauge:/other")
    assert default_spool_dir() == Path("/var/lib/portgauge")

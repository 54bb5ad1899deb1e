"""What a changed configuration begins anew, and what it leaves alone."""

import dataclasses
from pathlib import Path

import pytest

from agent.config import AgentConfig, InvalidConfig
from agent.reload import Local, Part, overlaid, plan
from shared.settings import SettingsError

OLD = AgentConfig(collector="http://a:1", token_file=Path("token"), host="lb1", spool_dir=Path("/spool"))


def test_nothing_changed_begins_nothing_anew() -> None:
    same = plan(OLD, dataclasses.replace(OLD))

    assert (same.changed, same.need_restart, same.parts) == ((), (), frozenset())


def test_only_the_parts_whose_keys_changed_begin_anew() -> None:
    """The connection to the collector is held while a label changes: a new one could find no port."""
    made = plan(OLD, dataclasses.replace(OLD, role="edge", interval_s=5.0))

    assert made.changed == ("role", "interval_s")
    assert made.parts == {Part.SAMPLING}
    assert made.config.interval_s == 5.0


def test_what_cannot_change_keeps_its_value_and_is_named() -> None:
    made = plan(OLD, dataclasses.replace(OLD, spool_dir=Path("/other"), host="lb2", collector="http://b:1"))

    assert made.need_restart == ("host", "spool_dir")
    assert (made.config.host, made.config.spool_dir, made.config.collector) == ("lb1", Path("/spool"), "http://b:1")
    assert made.parts == {Part.PUSHING}


def test_the_hosts_own_file_wins_key_by_key_and_label_by_label() -> None:
    own = dataclasses.replace(OLD, interval_s=10.0, labels={"site": "eu"})
    settings = {"interval_s": 5, "cpu_share": 0.02, "labels": {"site": "us", "tier": "1"}}

    made = overlaid(Local(own, frozenset({"interval_s"})), settings)

    assert (made.interval_s, made.cpu_share, made.labels) == (10.0, 0.02, {"site": "eu", "tier": "1"})


def test_what_does_not_fit_this_host_is_refused() -> None:
    own = dataclasses.replace(OLD, labels={f"own{number}": "x" for number in range(32)})

    with pytest.raises(InvalidConfig, match="labels"):
        overlaid(Local(own, frozenset()), {"labels": {"one_more": "x"}})
    with pytest.raises(SettingsError, match="token_file: unknown key"):
        overlaid(Local(OLD, frozenset()), {"token_file": "/elsewhere"})

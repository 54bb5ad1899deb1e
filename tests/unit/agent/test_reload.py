"""What a changed configuration begins anew, and what it leaves alone."""

import dataclasses
from pathlib import Path

from agent.config import AgentConfig
from agent.reload import Part, plan

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

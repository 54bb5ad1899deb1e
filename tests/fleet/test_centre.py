"""The rules of the fleet are the built-in ones in a hurry."""

import tomllib

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.config import Config
from shared.settings import build
from tests.fleet.centre import MOST_HOLD_S, config_text


@pytest.mark.parametrize("hosts", [2, 3, 20])
def test_a_collector_reads_them_and_only_times_and_counts_of_hosts_differ(hosts: int) -> None:
    read = build(Config, tomllib.loads(config_text(hosts, "127.0.0.1:9093")), "here").rule

    assert [(one.name, one.severity, one.condition, one.where, one.level) for one in read] == [
        (one.name, one.severity, one.condition, one.where, one.level) for one in BUILT_IN
    ]
    assert all(one.hold_s <= MOST_HOLD_S and one.keep_s <= MOST_HOLD_S for one in read)
    changed = {now.name for now, was in zip(read, BUILT_IN, strict=True) if now.raise_at != was.raise_at}
    assert changed == ({"backend-pressed"} if hosts < 5 else set())

"""The rules of the fleet are the built-in ones, and what differs is said."""

import tomllib
from dataclasses import replace

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.config import Config
from shared.settings import build
from tests.fleet.centre import HURRIED_S, changes, config_text, rules_for


def read_by_a_collector(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return build(Config, tomllib.loads(config_text(rules, "127.0.0.1:9093")), "here").rule


def test_a_fleet_that_is_large_enough_runs_what_everybody_runs() -> None:
    rules = rules_for(5, is_hurried=False)

    assert read_by_a_collector(rules) == BUILT_IN
    assert "[[rule]]" not in config_text(rules, "127.0.0.1:9093")
    assert changes(rules) == []


def test_in_a_smaller_one_fewer_hosts_are_enough_to_press_on_a_backend() -> None:
    rules = rules_for(2, is_hurried=False)

    assert read_by_a_collector(rules) == rules
    assert changes(rules) == ["backend-pressed is raised at 2, not 5"]


@pytest.mark.parametrize("hosts", [2, 3, 20])
def test_in_a_hurry_only_times_are_cut_and_each_is_named(hosts: int) -> None:
    rules = rules_for(hosts, is_hurried=True)

    assert read_by_a_collector(rules) == rules
    assert all(one.hold_s <= HURRIED_S and one.keep_s <= HURRIED_S for one in rules)
    in_time = [replace(now, hold_s=was.hold_s, keep_s=was.keep_s) for now, was in zip(rules, BUILT_IN, strict=True)]
    assert changes(in_time) == changes(rules_for(hosts, is_hurried=False))
    assert "host-silent holds 3 s, not 30 s" in changes(rules)

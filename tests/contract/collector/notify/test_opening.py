"""Channels made of their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from collector.alerts.rules import Rule
from collector.notify.alertmanager import AlertmanagerChannel
from collector.notify.log import LogChannel
from collector.notify.opening import digest_takers, open_channels, routes
from collector.notify.service import ServiceChannel
from collector.notify.settings import ChannelSettings
from collector.notify.webhook import WebhookChannel
from tests.builders import NOON_MS

PLAN_ONLY = ChannelSettings(name="tickets", url="https://tickets.example/", severities=("plan",))
BOTH = ChannelSettings(name="ops", url="https://ops.example/")


async def nothing(_channel: str, _since_ms: int) -> Sequence[Mapping[str, Any]]:
    return ()


async def test_the_address_says_what_kind_of_channel_it_is() -> None:
    addresses = ["https://hooks.example/", "alertmanager+http://am:9093", "json://localhost/notify"]
    settings = [ChannelSettings(name=f"c{number}", url=url) for number, url in enumerate(addresses)]
    async with ClientSession() as session:
        channels = open_channels(settings, session, lambda: NOON_MS, nothing)
    assert [type(one) for one in channels] == [LogChannel, WebhookChannel, AlertmanagerChannel, ServiceChannel]
    assert [one.name for one in channels] == ["log", "c0", "c1", "c2"]
    # Mail servers let strangers wait: postscreen for six seconds before it greets.
    assert [one.timeout_s for one in channels[1:]] == [5, 5, 30]


def a_rule(*channels: str) -> Rule:
    return Rule(name="x", severity="page", raise_at=0.5, channels=channels)


@pytest.mark.parametrize(
    ("severity", "rules", "told"),
    [
        ("page", [a_rule()], ("log", "ops")),
        ("plan", [a_rule()], ("log", "tickets", "ops")),
        ("plan", [a_rule("tickets")], ("log", "tickets")),
        ("page", [a_rule("tickets")], ("log",)),
        ("plan", [a_rule("tickets"), a_rule("ops")], ("log", "tickets", "ops")),
        ("plan", [a_rule("tickets"), a_rule()], ("log", "tickets", "ops")),
        ("plan", [None], ("log", "tickets", "ops")),
    ],
)
def test_who_is_told_is_for_severities_and_rules_to_say(
    severity: str, rules: Sequence[Rule | None], told: tuple[str, ...]
) -> None:
    assert routes([PLAN_ONLY, BOTH])(severity, rules) == told


def test_the_log_has_every_report_that_somebody_takes() -> None:
    weekly = ChannelSettings(name="boss", url="https://boss.example/", digests=("weekly",))
    assert digest_takers([BOTH, weekly]) == {"weekly": ("log", "boss")}
    assert digest_takers([BOTH]) == {}

"""The log as a channel."""

import logging

import pytest

from collector.notify.log import LogChannel
from collector.storage.outbox import Owed
from tests.builders import NOON_MS


def owed(state: str, severity: str) -> Owed:
    document = {"summary": "PAGE lb1: …", "state": state, "severity": severity, "rule": "hot"}
    return Owed(1, "key", document, NOON_MS, 0)


@pytest.mark.parametrize(
    ("state", "severity", "level"),
    [
        ("firing", "page", logging.CRITICAL),
        ("firing", "plan", logging.WARNING),
        ("resolved", "page", logging.INFO),
    ],
)
async def test_a_notice_is_one_line_as_loud_as_its_severity(
    caplog: pytest.LogCaptureFixture, state: str, severity: str, level: int
) -> None:
    with caplog.at_level(logging.INFO):
        await LogChannel().send(owed(state, severity))
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(level, "PAGE lb1: …")]

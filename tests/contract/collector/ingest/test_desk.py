"""What a desk does when it closes, and of what nobody foresaw. The rest of it is in test_front, over a connection."""

import asyncio
import logging

import pytest

from collector.access.doorkeeper import Doorkeeper
from collector.ingest.admission import Admission
from collector.ingest.desk import Answer, Desk
from collector.ingest.intake import Intake
from collector.ingest.request import PushHead
from collector.metrics import Metrics
from collector.storage.database import Database
from shared import wire
from shared.token import digest_of
from tests.builders import NOON_MS, a_snapshot

HEAD = PushHead("pg_nonsense", digest_of("pg_nonsense"), 10, is_gzip=False)


def a_desk(db: Database, admission: Admission) -> Desk:
    metrics = Metrics()
    intake = Intake(db, metrics, on_commit=lambda: None)
    keeper = Doorkeeper(db)
    return Desk(intake=intake, admission=admission, doorkeeper=keeper, metrics=metrics, clock=lambda: NOON_MS)


async def test_every_push_is_answered_once_and_its_room_given_back(db: Database) -> None:
    admission = Admission(max_requests=1)
    desk, answers = a_desk(db, admission), list[Answer]()
    for _ in range(3):
        assert desk.admit(HEAD) is None
        assert desk.admit(HEAD) is not None
        desk.take(HEAD, b"x", answers.append)
        await desk.close(5)
    assert [answer.status for answer in answers] == [401, 401, 401]


async def test_what_nobody_foresaw_is_a_500_and_loud(
    db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_self: Doorkeeper, _text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Doorkeeper, "require", fail)
    desk, answers = a_desk(db, Admission()), list[Answer]()
    assert desk.admit(HEAD) is None
    with caplog.at_level(logging.ERROR):
        desk.take(HEAD, wire.encode(a_snapshot()), answers.append)
        await asyncio.wait_for(desk.close(5), 10)
    assert [answer.status for answer in answers] == [500]
    assert "ZeroDivisionError" in caplog.text
    assert b"ZeroDivision" not in answers[0].body

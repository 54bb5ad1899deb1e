"""What handlers work with."""

from collector.ingest.intake import Intake
from collector.metrics import Metrics
from collector.services import Services
from collector.storage.database import Database


def services(db: Database) -> Services:
    metrics = Metrics()
    return Services(db=db, intake=Intake(db, metrics, on_commit=lambda: None), metrics=metrics)


async def test_two_collectors_share_neither_sessions_nor_room(db: Database) -> None:
    first, second = services(db), services(db)
    assert first.sessions is not second.sessions
    assert first.admission is not second.admission


async def test_without_another_clock_it_is_the_wall_s(db: Database) -> None:
    assert services(db).clock() > 1_700_000_000_000

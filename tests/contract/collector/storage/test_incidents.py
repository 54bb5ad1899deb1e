"""Incidents, kept."""

from dataclasses import replace

from collector.alerts.incidents import Change, Incident
from collector.storage import incidents
from collector.storage.database import Database
from tests.builders import NOON_MS

INCIDENT = Incident(severity="page", cause="backend x", opened_ms=NOON_MS, channels=("log", "ops"), lead="k")


async def test_an_incident_comes_back_as_it_was_written_until_it_is_over(db: Database) -> None:
    told = replace(INCIDENT, told_ms=NOON_MS + 1, tellings=2, told_hosts=7)
    async with db.writing() as connection:
        await incidents.write(connection, [Change(INCIDENT, None, ())], NOON_MS)
        assert await incidents.open_ones(connection) == [INCIDENT]
        await incidents.write(connection, [Change(told, None, ())], NOON_MS)
        assert await incidents.open_ones(connection) == [told]
        await incidents.write(connection, [Change(told, None, (), is_over=True)], NOON_MS + 5)
        assert await incidents.open_ones(connection) == []


async def test_what_is_over_for_long_is_forgotten_and_what_is_open_is_not(db: Database) -> None:
    other = replace(INCIDENT, cause="backend y")
    async with db.writing() as connection:
        await incidents.write(connection, [Change(INCIDENT, None, (), is_over=True), Change(other, None, ())], NOON_MS)
        assert await incidents.prune(connection, NOON_MS) == 0
        assert await incidents.prune(connection, NOON_MS + 1) == 1
        assert await incidents.open_ones(connection) == [other]

"""Peaks and histograms in the database."""

import numpy as np
import pytest
from sqlalchemy import update

from collector.history import fleet
from collector.history.fleet import BINS, BLOCK, MINUTES
from collector.history.tiers import HOUR_MS
from collector.storage import fleet_history, tables
from collector.storage.database import Database


def a_block(**peaks: int) -> fleet.Peaks:
    block = np.zeros(BLOCK, np.uint16)
    for pool, peak in peaks.items():
        block[int(pool[1:])] = peak
    return block


async def test_the_higher_of_two_peaks_stays(db: Database) -> None:
    async with db.writing() as connection:
        await fleet_history.raise_peaks(connection, {(0, 0): a_block(p1=5, p2=9), (0, 1): a_block(p1=1)})
        await fleet_history.raise_peaks(connection, {(0, 0): a_block(p1=7, p2=3)})
        found = {(hour, n): fleet.unpack_peaks(body) for hour, n, body in await fleet_history.peaks(connection, 0, 1)}
    assert found[0, 0][1:3].tolist() == [7, 9]
    assert found[0, 1][1] == 1


async def test_counts_add_up(db: Database) -> None:
    ones = np.ones((MINUTES, BINS), np.int64)
    async with db.writing() as connection:
        await fleet_history.add_counts(connection, {0: ones})
        await fleet_history.add_counts(connection, {0: 2 * ones, HOUR_MS: ones})
        minutes = await fleet_history.minutes(connection, 0, 2 * HOUR_MS)
        totals = await fleet_history.totals(connection, 0, 2 * HOUR_MS)
    assert [int(fleet.unpack_counts(body, MINUTES).max()) for _, body in minutes] == [3, 1]
    assert [int(fleet.unpack_counts(body, 1).max()) for _, body in totals] == [3 * MINUTES, MINUTES]


async def test_what_is_old_is_forgotten(db: Database) -> None:
    async with db.writing() as connection:
        await fleet_history.raise_peaks(connection, {(0, 0): a_block(p1=5), (HOUR_MS, 0): a_block(p1=6)})
        assert await fleet_history.drop(connection, HOUR_MS) == 1
        assert [hour for hour, _, _ in await fleet_history.peaks(connection, 0, 2**52)] == [HOUR_MS]


async def test_what_cannot_be_read_is_told_and_begun_anew(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    ones = np.ones((MINUTES, BINS), np.int64)
    async with db.writing() as connection:
        await fleet_history.raise_peaks(connection, {(0, 0): a_block(p1=5)})
        await fleet_history.add_counts(connection, {0: ones})
        await connection.execute(update(tables.peak_hour).values(body=b"broken"))
        await connection.execute(update(tables.fleet_hour).values(minutes=b"broken"))
        await fleet_history.raise_peaks(connection, {(0, 0): a_block(p2=7)})
        await fleet_history.add_counts(connection, {0: ones})
        [(_, _, body)] = await fleet_history.peaks(connection, 0, 1)
    assert fleet.unpack_peaks(body)[:3].tolist() == [0, 0, 7]
    assert caplog.text.count("begun anew") == 2

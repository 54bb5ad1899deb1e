"""Alerts, kept."""

from dataclasses import replace

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case, Verdict
from collector.alerts.observe import Forecast, Observation
from collector.alerts.step import Alert, AlertState, Told, Transition
from collector.alerts.subject import Subject, of_peer, of_pool
from collector.storage import alerts
from collector.storage.database import Database
from shared.model import Reading
from shared.tcp import State
from tests.builders import NOON_MS, a_pool, a_reading

FIRING = Alert(AlertState.FIRING, NOON_MS, NOON_MS - 5, NOON_MS)


def a_case(reading: Reading | None = None, alert: Alert = FIRING) -> Case:
    seen = Observation(reading or a_reading(255))
    pool = (reading or a_reading()).pool
    return Case(rule="hot", severity="page", subject=of_pool("lb1", pool), alert=alert, seen=seen, seen_ms=NOON_MS)


def fired(case: Case) -> Verdict:
    return Verdict(case, Transition(AlertState.OK, AlertState.FIRING, NOON_MS, Told.FIRING, NOON_MS))


POOL = replace(
    a_reading(30, pool=a_pool(local="fd00::1", peer="fd00::2"), states={State.TIME_WAIT: 30}),
    owner="haproxy",
    failures=3,
    knee=True,
)
CASES = [
    replace(a_case(POOL), seen=Observation(POOL, is_bound=True, forecast=Forecast(90.0, 2.5)), role="edge"),
    replace(a_case(), subject=Subject(Scope.HOST, "lb1"), seen=Observation(facts={"silent_for_s": 31})),
    replace(a_case(), subject=of_peer(bytes(4), 80), seen=Observation(facts={"hosts": 212})),
    replace(
        a_case(), subject=Subject(Scope.FLEET), seen=Observation(), alert=Alert(AlertState.FIRING, 1, 2, 3, 4, 5, 6)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.subject.scope)
async def test_a_case_comes_back_as_it_was_written(db: Database, case: Case) -> None:
    async with db.writing() as connection:
        await alerts.write(connection, [Verdict(case, None)])
        assert await alerts.current(connection) == [case]


async def test_writing_a_case_again_changes_its_row(db: Database) -> None:
    """The id stays: notices hang on it."""
    async with db.writing() as connection:
        first = await alerts.write(connection, [fired(a_case())])
        again = await alerts.write(connection, [Verdict(a_case(alert=Alert(AlertState.OK, NOON_MS)), None)])
        assert first == again
        assert [case.alert.state for case in await alerts.current(connection)] == [AlertState.OK]


async def test_of_two_verdicts_on_a_case_the_later_stands_and_both_transitions_are_kept(db: Database) -> None:
    back = Transition(AlertState.FIRING, AlertState.OK, NOON_MS + 9, Told.RESOLVED, NOON_MS)
    calm = Verdict(a_case(a_reading(5), Alert(AlertState.OK, NOON_MS + 9)), back)
    async with db.writing() as connection:
        await alerts.write(connection, [fired(a_case()), calm])
        assert [case.alert.state for case in await alerts.current(connection)] == [AlertState.OK]
        items = await alerts.history(connection, limit=10, host_name="lb1")
        assert [(item.before, item.after, item.held) for item in items] == [
            (AlertState.FIRING, AlertState.OK, 5),
            (AlertState.OK, AlertState.FIRING, 255),
        ]
        assert len(await alerts.history(connection, limit=1)) == 1
        assert await alerts.history(connection, limit=10, host_name="lb2") == []


async def test_more_cases_than_a_page_are_written_at_once(db: Database) -> None:
    """A backend dies, and ten thousand pools with it."""
    verdicts = [fired(a_case(a_reading(255, pool=a_pool(port)))) for port in range(1, alerts.PAGE + 10)]
    async with db.writing() as connection:
        assert len(await alerts.write(connection, verdicts)) == len(verdicts)
        assert len(await alerts.write(connection, verdicts)) == len(verdicts)
        assert len(await alerts.current(connection)) == len(verdicts)


async def test_the_hottest_comes_first_after_what_is_no_pool(db: Database) -> None:
    verdicts = [fired(a_case(a_reading(held, pool=a_pool(held)))) for held in (256, 300, 270)]
    async with db.writing() as connection:
        await alerts.write(connection, [*verdicts, fired(CASES[1])])
        items = await alerts.current(connection, [AlertState.FIRING])
    assert [case.subject.pool.peer_port if case.subject.pool else 0 for case in items] == [0, 300, 270, 256]


async def test_only_what_matters_is_remembered(db: Database) -> None:
    calm = a_case(a_reading(pool=a_pool(1)), Alert(AlertState.OK, NOON_MS))
    flapping = a_case(a_reading(pool=a_pool(2)), Alert(AlertState.OK, NOON_MS, flaps=1, last_fired_ms=NOON_MS))
    unknown = a_case(a_reading(pool=a_pool(3)), Alert(AlertState.UNKNOWN, NOON_MS))
    async with db.writing() as connection:
        await alerts.write(connection, [Verdict(case, None) for case in (calm, flapping, unknown)])
        assert {case.key for case in await alerts.remembered(connection, NOON_MS)} == {flapping.key, unknown.key}


async def test_an_end_is_foretold_where_a_case_is_open(db: Database) -> None:
    def foretelling(port: int, state: AlertState = AlertState.PENDING) -> Verdict:
        seen = Observation(a_reading(255, pool=a_pool(port)), forecast=Forecast(90.0 + port, 2.5))
        case = a_case(seen.reading, Alert(state, NOON_MS))
        return Verdict(replace(case, seen=seen), None)

    async with db.writing() as connection:
        over = foretelling(2, AlertState.OK), foretelling(3, AlertState.UNKNOWN)
        unforeseen = Verdict(a_case(a_reading(255, pool=a_pool(4))), None)
        await alerts.write(connection, [foretelling(1), *over, unforeseen])
        assert await alerts.foretold(connection, {"lb1"}) == {("lb1", a_pool(1)): 91.0}
        assert await alerts.foretold(connection, {"lb2"}) == {}


async def test_cases_are_counted_by_severity_and_state(db: Database) -> None:
    async with db.writing() as connection:
        await alerts.write(connection, [fired(a_case())])
        assert await alerts.count_by_state(connection) == {("page", "firing"): 1}


async def test_what_is_firing_is_never_forgotten(db: Database) -> None:
    later_ms = NOON_MS + 10**9
    unknown = Alert(AlertState.UNKNOWN, NOON_MS, None, NOON_MS)
    async with db.writing() as connection:
        await alerts.write(
            connection, [fired(a_case()), Verdict(a_case(a_reading(9, pool=a_pool(9002)), unknown), None)]
        )
        await alerts.prune(connection, later_ms)
        assert len(await alerts.current(connection)) == 2
        assert await alerts.history(connection, limit=9) == []


async def test_what_is_calm_for_long_is_forgotten(db: Database) -> None:
    async with db.writing() as connection:
        await alerts.write(connection, [Verdict(a_case(alert=Alert(AlertState.OK, NOON_MS)), None)])
        assert await alerts.prune(connection, NOON_MS) == 0
        assert await alerts.prune(connection, NOON_MS + 1) == 1

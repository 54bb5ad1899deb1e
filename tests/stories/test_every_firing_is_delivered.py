"""Whatever happens to the leader and to the receiver, whoever is to hear of something hears of it, and of its end.

A story is a list of what happens (tests.perils); hypothesis writes them. Evaluation, outbox, delivery and the webhook
are the real ones, over a real SQLite file and a real HTTP receiver. What should be heard is told by the pure state
machine, played once over all reports as though nothing had ever happened to anybody.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState, Span, Told, step
from collector.storage import alerts, tables
from collector.storage.database import database
from collector.storage.location import locate
from collector.storage.schema import migrate
from tests.perils import (
    CAPACITY,
    RULES,
    Answers,
    Hush,
    Kill,
    Pass,
    Pause,
    Peril,
    Reports,
    Wake,
    World,
    a_world,
)

HOSTS = ("lb1", "lb2")
WARM, HOT = RULES

hosts = st.sampled_from(HOSTS)
perils: st.SearchStrategy[Peril] = st.one_of(
    st.builds(Reports, st.lists(st.tuples(hosts, st.sampled_from((5, 65, 72, 80, 95))), min_size=1, max_size=3)),
    st.builds(Pass, st.integers(1, 400)),
    st.builds(Answers, st.lists(st.sampled_from((204, 429, 503, "lost")), min_size=1, max_size=3)),
    st.builds(Kill, st.integers(0, 7)),
    st.just(Pause()),
    st.just(Wake()),
    st.builds(Hush, hosts, st.integers(1, 600)),
)
DIES_HAVING_SENT = [Kill(5), Reports([("lb1", 95)]), Reports([("lb1", 5)]), Pass(60), Reports([("lb1", 5)])]
SLEEPS_OWING = [Answers([503]), Reports([("lb1", 95)]), Pause(), Pass(60), Wake(), Reports([("lb2", 95)]), Wake()]
OVER_WHEN_JUDGED = [Kill(1), Reports([("lb1", 95), ("lb1", 5)])]
SILENT_AT_FIRST = [Hush("lb1", 300), Reports([("lb1", 95)]), Kill(2), Reports([("lb2", 95)]), Pass(400)]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, copied for each story."""
    file = tmp_path_factory.mktemp("migrated") / "history.db"
    asyncio.run(migrate(locate(str(file))))
    return file


@pytest.mark.timeout(600)
@settings(max_examples=30)
@given(st.lists(perils, min_size=3, max_size=20))
@example(DIES_HAVING_SENT)
@example(SLEEPS_OWING)
@example(OVER_WHEN_JUDGED)
@example(SILENT_AT_FIRST)
def test_every_firing_and_its_end_are_delivered(migrated: Path, story: list[Peril]) -> None:
    asyncio.run(lived(migrated, story))


async def lived(migrated: Path, story: Sequence[Peril]) -> None:
    """Live through the story until all is settled, and judge what was heard."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "history.db"
        shutil.copy(migrated, file)
        async with database(locate(str(file))) as db, a_world(db) as world:
            for peril in story:
                await world.meet(peril)
            await world.settle()
            await judge_written(world)
        judge_repeats(world)
        judge_order(world)
        judge_heard(world)


async def judge_written(world: World) -> None:
    """Deaths cost no transition and make none twice; what was owed is closed by one success, and so was received."""
    async with world.db.reading() as connection:
        past = (await alerts.history(connection, limit=10_000))[::-1]
        owed = (await connection.execute(select(tables.outbox))).all()
        successes = select(tables.attempt.c.outbox_id).where(tables.attempt.c.succeeded)
        succeeded = sorted((await connection.execute(successes)).scalars())
    for rule in RULES:
        for host in HOSTS:
            mine = [one for one in past if (one.rule, one.subject.host) == (rule.name, host)]
            fired = [(one.at_ms, Told.FIRING) for one in mine if one.after is AlertState.FIRING]
            ended = [(one.at_ms, Told.RESOLVED) for one in mine if one.before is AlertState.FIRING]
            assert sorted(fired + ended) == should_be_told(world, rule, host)
    assert {row.outcome for row in owed} <= {"delivered"}
    assert succeeded == sorted(row.id for row in owed)
    assert {row.key for row in owed} == {key for key, _ in world.receiver.taken}


def judge_repeats(world: World) -> None:
    """A notice heard twice is the same to the letter; and where nobody died and no answer was lost, none is."""
    bodies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, body in world.receiver.taken:
        bodies[key].append(body)
    for heard in bodies.values():
        assert all(one == heard[0] for one in heard)
    if not world.deaths and not world.receiver.has_lost:
        assert all(len(heard) == 1 for heard in bodies.values())


def judge_order(world: World) -> None:
    """Each incident is told as firing first, and as resolved last, if it is over: nobody hears the end first."""
    for heard in incidents(world).values():
        states = [state for state, _ in groupby(body["state"] for body in heard)]
        assert states in (["firing"], ["firing", "resolved"])


def judge_heard(world: World) -> None:
    """Nothing lost, the end told too, and nothing of a host while it was silenced."""
    for rule in RULES:
        for host in HOSTS:
            mine = [heard for heard in incidents(world).values() if is_about(heard[0], rule, host)]
            episodes = should_be_told(world, rule, host)
            is_hot = bool(episodes) and episodes[-1][1] is Told.FIRING
            still = [heard for heard in mine if heard[-1]["state"] == "firing"]
            if not is_hot:
                assert not still
            elif not (rule is WARM and is_firing(world, HOT, host)):  # A page hides the plan of the same cause.
                assert len(still) == 1
            if rule is HOT and not any(host in one.where.host for one in world.hushed):
                assert all(is_covered(at_ms, mine) for at_ms, told in episodes if told is Told.FIRING)
            for heard in mine:
                assert not any(
                    one.is_active(body["at_ms"])
                    for body in heard
                    for one in world.hushed
                    if host in one.where.host and body["state"] == "firing"
                )


def should_be_told(world: World, rule: Rule, host: str) -> list[tuple[int, Told]]:
    """(when, what) by the state machine alone, over all that the host reported."""
    alert, told = Alert(), []
    for name, at_ms, held in world.reported:
        if name == host:
            alert, transition = step(rule, alert, Span(held / CAPACITY, held / CAPACITY), at_ms)
            if transition and transition.told:
                told.append((at_ms, transition.told))
    return told


def is_firing(world: World, rule: Rule, host: str) -> bool:
    """Whether it fires in the end."""
    told = should_be_told(world, rule, host)
    return bool(told) and told[-1][1] is Told.FIRING


def incidents(world: World) -> dict[str, list[dict[str, Any]]]:
    """What was heard of each incident, repeats left out."""
    seen: set[str] = set()
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, body in world.receiver.taken:
        if key not in seen:
            seen.add(key)
            found[body["alert"]].append(body)
    return found


def is_about(body: dict[str, Any], rule: Rule, host: str) -> bool:
    """Whether a notice is of this rule on this host."""
    return bool(body["severity"] == rule.severity and body["host"] == host)


def is_covered(at_ms: int, heard: Sequence[Sequence[dict[str, Any]]]) -> bool:
    """Whether people were told of an incident that was not over by then."""
    return any(one[-1]["state"] == "firing" or one[-1]["at_ms"] >= at_ms for one in heard)

"""The log judged: stories over real storage. Stories of one alert are in tests/stories."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.evaluation import BATCH, Evaluator
from collector.fleet.forgetting import forget
from collector.metrics import Metrics
from collector.rollout import plan as rollout
from collector.storage import alerts, cursors, outbox, rollouts, rules, silences, tables
from collector.storage.cursors import EVALUATION
from collector.storage.database import Database
from shared import wire
from shared.tcp import State
from shared.tuning import Tuning
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting, collecting


async def told(collector: Collecting) -> list[tuple[str, str]]:
    """(state, rule) of every notice owed to the log, in order."""
    return [(document["state"], document["rule"]) for document in await documents(collector)]


async def documents(collector: Collecting) -> list[dict[str, Any]]:
    """Every notice owed to the log, in order."""
    async with collector.db.reading() as connection:
        query = select(tables.outbox.c.document).where(tables.outbox.c.channel == "log").order_by(tables.outbox.c.id)
        return list((await connection.execute(query)).scalars())


async def states(collector: Collecting) -> dict[str, str]:
    async with collector.db.reading() as connection:
        return {case.rule: case.alert.state.value for case in await alerts.current(connection)}


async def report(collector: Collecting, held: int, seq: int, *, after_s: float = 10) -> None:
    collector.clock.turn(after_s)
    await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
    await collector.evaluate()


async def test_warning_then_critical_then_all_clear(collector: Collecting) -> None:
    """The incident, as it should have gone."""
    for seq, held in enumerate((150, 213, 258, 300, 300, 0)):
        await report(collector, held, seq)
    assert await told(collector) == [
        ("firing", "warm"),
        ("firing", "hot"),
        ("resolved", "warm"),
        ("resolved", "hot"),
    ]


async def test_evaluating_again_changes_nothing(collector: Collecting) -> None:
    await report(collector, 290, 1)
    for _ in range(3):
        await collector.evaluate()
    assert len(await told(collector)) == 1


async def test_silence_makes_alerts_unknown_and_tells_nobody(collector: Collecting) -> None:
    """Alerts that resolve because the data stopped are how the second outage begins."""
    await report(collector, 290, 1)
    collector.clock.turn(31)
    await collector.evaluate()
    assert await states(collector) == {"warm": "unknown", "hot": "unknown"}
    assert await told(collector) == [("firing", "hot")]


async def test_an_alert_goes_on_after_a_silence_without_a_second_notice(collector: Collecting) -> None:
    await report(collector, 290, 1)
    collector.clock.turn(120)
    await collector.evaluate()
    await report(collector, 290, 2)
    assert await states(collector) == {"warm": "firing", "hot": "firing"}
    assert len(await told(collector)) == 1
    await report(collector, 5, 3)
    assert (await told(collector))[1:] == [("resolved", "hot")]


async def test_a_blind_host_is_unknown_at_once(collector: Collecting) -> None:
    await report(collector, 290, 1)
    await collector.push(a_failure(seq=2))
    await collector.evaluate()
    assert set((await states(collector)).values()) == {"unknown"}


async def test_a_namespace_that_is_gone_is_unknown(collector: Collecting) -> None:
    await collector.push(
        a_snapshot(a_reading(290, pool=a_pool(netns="edge")), namespaces=[a_namespace(), a_namespace("edge")])
    )
    await collector.push(a_snapshot(seq=2))
    await collector.evaluate()
    assert set((await states(collector)).values()) == {"unknown"}


async def test_a_namespace_that_has_ended_is_told_as_that_after_ten_minutes(collector: Collecting) -> None:
    pod = a_reading(290, pool=a_pool(netns="web-1"))
    await collector.push(a_snapshot(pod, namespaces=[a_namespace(), a_namespace("web-1")]))
    await collector.evaluate()
    for seq in range(2, 28):
        collector.clock.turn(25)
        await collector.push(a_snapshot(seq=seq, taken_at_ms=collector.clock()))
        await collector.evaluate()
    assert await states(collector) == {"warm": "gone", "hot": "gone"}
    [fired, ended] = await documents(collector)
    assert (fired["state"], ended["state"], ended["ended"]) == ("firing", "resolved", "forgotten")
    assert "its network namespace has ended" in ended["text"]


async def test_backlog_neither_fires_nor_resolves(collector: Collecting) -> None:
    await report(collector, 10, 10)
    await report(collector, 290, 5)
    assert await told(collector) == []
    await report(collector, 290, 11)
    await report(collector, 10, 6)
    assert await states(collector) == {"warm": "firing", "hot": "firing"}


async def test_a_backlog_of_hot_reports_judged_late_fires_as_of_when_they_came(collector: Collecting) -> None:
    """The evaluation was down; the hold and the notice go by the time of receipt."""
    for seq in range(3):
        collector.clock.turn(10)
        await collector.push(a_snapshot(a_reading(290), seq=seq))
    collector.clock.turn(5)
    await collector.evaluate()
    async with collector.db.reading() as connection:
        fired = {case.alert.fired_ms for case in await alerts.current(connection)}
    assert fired == {NOON_MS + 10_000}


async def test_more_than_a_batch_is_judged_in_order(collector: Collecting) -> None:
    """And a peak in the middle is told although it is over."""
    for seq in range(BATCH * 2):
        await collector.push(a_snapshot(a_reading(290 if seq == BATCH else 10), seq=seq))
    await collector.evaluate()
    assert await told(collector) == [("firing", "hot"), ("resolved", "hot")]


async def test_a_restart_neither_loses_nor_repeats(db: Database) -> None:
    async with collecting(db) as first:
        await report(first, 290, 1)
        first.clock.turn(10)
        await first.push(a_snapshot(a_reading(5), seq=2))
        noon_and_a_bit = first.clock()
    async with collecting(db) as second:
        second.clock.now_ms = noon_and_a_bit
        await second.evaluate()
        assert await told(second) == [("firing", "hot"), ("resolved", "hot")]


async def test_a_crash_before_the_end_of_the_transaction_leaves_no_half(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise ZeroDivisionError

    collector.clock.turn(10)
    await collector.push(a_snapshot(a_reading(290)))
    monkeypatch.setattr(outbox, "put", crash)
    with pytest.raises(ZeroDivisionError):
        await collector.evaluate()
    monkeypatch.undo()
    async with collector.db.reading() as connection:
        assert (await cursors.read(connection, EVALUATION)).hot_id == 0
        assert await alerts.current(connection) == []
    await collector.evaluate()
    assert len(await told(collector)) == 1


async def test_of_two_evaluators_one_is_heard(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock can be lost without noticing; the cursor is the fence."""
    await collector.push(a_snapshot(a_reading(290)))

    async def moved_meanwhile(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(cursors, "advance", moved_meanwhile)
    await collector.evaluate()
    assert await told(collector) == []


async def test_a_body_this_version_cannot_read_is_no_data(collector: Collecting) -> None:
    await report(collector, 290, 1)
    await collector.post(wire.encode(a_snapshot(a_reading(290), seq=2)))
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.hot).where(tables.hot.c.seq == 2).values(body=b"\x80"))
    await collector.evaluate()
    assert set((await states(collector)).values()) == {"unknown"}


async def test_a_backend_that_dies_behind_two_hundred_hosts_is_one_notice(collector: Collecting) -> None:
    dying = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")
    for number in range(200):
        await collector.push(a_snapshot(a_reading(290, pool=dying), host=f"lb{number}"))
    await collector.evaluate()
    [told] = await documents(collector)
    assert (told["hosts"], told["alerts"], told["cause"]) == (200, 200, "backend 10.0.9.21:8080")
    assert "one of 200 alerts on 200 hosts: backend 10.0.9.21:8080" in told["summary"]
    for number in range(200):
        await collector.push(a_snapshot(host=f"lb{number}", seq=2))
    await collector.evaluate()
    assert [one["state"] for one in await documents(collector)] == ["firing", "resolved"]


async def test_a_plan_hidden_by_a_page_is_told_once_the_page_is_over(collector: Collecting) -> None:
    await report(collector, 290, 1)
    await report(collector, 220, 2)
    assert await told(collector) == [("firing", "hot"), ("firing", "warm"), ("resolved", "hot")]


async def test_what_is_silenced_is_told_when_the_silence_ends_and_it_still_fires(collector: Collecting) -> None:
    silence = Silence(
        author="ops",
        reason="test",
        starts_ms=collector.clock(),
        ends_ms=collector.clock() + 60_000,
        where=Where(host=("lb*",)),
    )
    async with collector.db.writing() as connection:
        await silences.add(connection, silence)
    await report(collector, 290, 1)
    assert await told(collector) == []
    await report(collector, 290, 2, after_s=49)
    assert await told(collector) == []
    await report(collector, 290, 3, after_s=1)
    assert await told(collector) == [("firing", "hot")]


async def test_a_restart_remembers_what_was_told_and_to_whom(db: Database) -> None:
    async with collecting(db) as first:
        await report(first, 290, 1)
    async with collecting(db) as second:
        second.clock.turn(60)
        await second.evaluate()
        await report(second, 290, 2)
        assert await told(second) == [("firing", "hot")]
        await report(second, 5, 3)
        assert await told(second) == [("firing", "hot"), ("resolved", "hot")]


async def test_a_paused_evaluator_that_wakes_tells_nothing_twice(db: Database) -> None:
    """Both have read the same; the first to write wins, the other reads anew."""
    async with collecting(db) as one, collecting(db) as other:
        await one.push(a_snapshot(a_reading(290)))
        watch, work = await other.evaluator._begun()  # what a paused process holds in its hands
        outcome = other.evaluator._judge(watch, work)
        await one.evaluate()
        await other.evaluator._settle(work, outcome)
        await other.evaluate()
        assert await told(one) == [("firing", "hot")]


async def test_the_notice_is_enough_to_act_on(collector: Collecting) -> None:
    for seq, held in enumerate((100, 150, 290)):
        states = {State.ESTABLISHED: 100, State.TIME_WAIT: held - 100}
        collector.clock.turn(10)
        await collector.push(a_snapshot(a_reading(held, states=states), seq=seq, taken_at_ms=collector.clock()))
        await collector.evaluate()
    [told] = [one for one in await documents(collector) if one["severity"] == "page"]
    assert told["rate_per_s"] == 9.5
    assert told["seconds_left"] == round(10 / 9.5, 1)
    assert told["changed"] == ["TIME_WAIT rose from 0 to 190 in 20 s"]
    assert told["fixes"][0]["title"].startswith("let connect() recycle TIME_WAIT")
    assert told["link"].startswith(
        "http://portgauge.example/pool?host=lb1&netns=host&kind=connect&local=127.0.0.1&peer="
    )
    assert told["text"].splitlines()[1:5] == [
        "Since 12:00:30 UTC, role edge, by hot.",
        "40000–40299: 300 − 0 reserved − 0 blocked = 300; held 290 = TIME_WAIT 190 + ESTABLISHED 100.",
        "Growing by 9.5 ports/s, spent in 1 s at this rate.",
        "Changed: TIME_WAIT rose from 0 to 190 in 20 s.",
    ]


DOUBTS = tuple(rule for rule in BUILT_IN if rule.name in {"host-contested", "clock-wrong"})


def doubting(collector: Collecting, rules: Sequence[Rule] = DOUBTS) -> Evaluator:
    """Another evaluator over the same log, by default one that watches who reports."""
    return Evaluator(
        db=collector.db,
        rules=rules,
        channels=["log"],
        channels_for=lambda _severity, _rules: ("log",),
        metrics=Metrics("test"),
        clock=collector.clock,
        on_notice=lambda: None,
    )


async def test_two_machines_under_one_name_are_told_and_so_is_the_end(collector: Collecting) -> None:
    evaluator = doubting(collector)
    for seq, machine in enumerate("abab"):
        collector.clock.turn(5)
        snapshot = a_snapshot(boot_id=f"boot-{machine}", seq=seq, taken_at_ms=collector.clock())
        await collector.push(replace(snapshot, machine_id=machine * 32))
        await evaluator.evaluate()
    assert await told(collector) == [("firing", "host-contested")]
    assert "two machines" in (await documents(collector))[0]["summary"]
    collector.clock.turn(601)
    await collector.push(a_snapshot(boot_id="boot-b", seq=9, taken_at_ms=collector.clock()))
    await evaluator.evaluate()
    assert (await told(collector))[1:] == [("resolved", "host-contested")]


async def test_two_agents_with_one_spool_are_told(collector: Collecting) -> None:
    """Which of the two is right nobody can say; that they are two must not stand in a log only."""
    await collector.push(a_snapshot(a_reading(1), seq=1))
    status, _ = await collector.post(wire.encode(a_snapshot(a_reading(2), seq=1)))
    assert status == 409
    await doubting(collector).evaluate()
    assert await told(collector) == [("firing", "host-contested")]


@pytest.mark.parametrize(("off_s", "word"), [(90, "ahead"), (-90, "behind")])
async def test_a_clock_that_is_off_by_a_minute_and_stays_is_told(collector: Collecting, off_s: int, word: str) -> None:
    evaluator = doubting(collector)
    for seq in range(8):
        collector.clock.turn(10)
        await collector.push(a_snapshot(seq=seq, taken_at_ms=collector.clock() + off_s * 1000))
        await evaluator.evaluate()
    assert await told(collector) == [("firing", "clock-wrong")]
    assert f"90 s {word}" in (await documents(collector))[0]["summary"]


async def test_a_host_that_is_renamed_is_another_host(collector: Collecting) -> None:
    """Nobody is in doubt: the old name falls silent, the new one reports."""
    for seq, name in enumerate(("old", "new")):
        collector.clock.turn(5)
        snapshot = a_snapshot(host=name, boot_id=f"boot-{name}", seq=seq, taken_at_ms=collector.clock())
        await collector.push(replace(snapshot, machine_id="a" * 32))
    await doubting(collector).evaluate()
    assert await told(collector) == []
    assert {one["host"] for one in (await collector.get("/v1/hosts"))["items"]} == {"old", "new"}


async def make(collector: Collecting, *made: Rule) -> None:
    async with collector.db.writing() as connection:
        for rule in made:
            await rules.put(connection, rule, "token x", collector.clock())


async def test_a_rule_that_is_made_replaced_and_deleted_is_in_force_without_a_restart(collector: Collecting) -> None:
    """From each host's next report on, and what it fired is resolved when it goes."""
    seq = 0

    async def heard(held: int) -> list[tuple[str, str]]:
        nonlocal seq
        seq += 1
        collector.clock.turn(2)
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
        before = len(await told(collector))
        await collector.evaluate()
        return (await told(collector))[before:]

    mine = Rule(name="mine", severity="page", raise_at=0.4)
    assert await heard(150) == []
    await make(collector, mine)
    assert await heard(150) == [("firing", "mine")]
    await make(collector, replace(mine, raise_at=0.6))
    assert await heard(150) == [("resolved", "mine")]
    assert await heard(190) == [("firing", "mine")]
    async with collector.db.writing() as connection:
        await rules.remove(connection, "mine")
    assert await heard(190) == [("resolved", "mine")]


async def test_what_fires_by_a_rule_of_the_file_goes_on_while_others_are_made(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    fired = await told(collector)
    await make(
        collector, Rule(name="hot", severity="plan", raise_at=0.1), Rule(name="other", severity="plan", raise_at=0.99)
    )
    collector.clock.turn(2)
    await collector.push(a_snapshot(a_reading(290), seq=2, taken_at_ms=collector.clock()))
    await collector.evaluate()
    assert await told(collector) == fired == [("firing", "hot")]


async def test_a_rollout_that_halted_is_told_and_that_somebody_decided(collector: Collecting) -> None:
    plan = rollout.Plan(author="ops", reason="r", settings=Tuning(most_pools=100))
    async with collector.db.writing() as connection:
        number = await rollouts.add(connection, plan, collector.clock())
        made = await rollouts.find(connection, number)
        assert made
        await rollouts.save(connection, made, replace(made, state=rollout.State.HALTED, why="lb1 was restarted"))
    evaluator = doubting(collector, [rule for rule in BUILT_IN if rule.name == "rollout-halted"])
    await evaluator.evaluate()
    assert await told(collector) == [("firing", "rollout-halted")]
    assert (await documents(collector))[0]["summary"] == f"PLAN rollout {number} has halted: lb1 was restarted"
    async with collector.db.writing() as connection:
        await rollouts.turn(connection, number, rollout.State.ABORTED, [rollout.State.HALTED], collector.clock())
    collector.clock.turn(2)
    await evaluator.evaluate()
    assert (await told(collector))[1:] == [("resolved", "rollout-halted")]


async def forget_it(collector: Collecting, name: str = "lb1") -> None:
    collector.clock.turn(2)
    await forget(collector.db, name, "ops", collector.clock())
    await collector.evaluate()


async def test_alerts_about_a_host_that_is_forgotten_end_and_nobody_is_told_that_all_is_well(
    collector: Collecting,
) -> None:
    await report(collector, 290, 1)
    await forget_it(collector)
    assert await states(collector) == {"warm": "gone", "hot": "gone"}
    document = (await documents(collector))[-1]
    assert (document["state"], document["ended"]) == ("resolved", "forgotten")
    assert document["summary"].startswith("FORGOTTEN lb1: ")
    for _ in range(3):
        collector.clock.turn(60)
        await collector.evaluate()
    assert await states(collector) == {"warm": "gone", "hot": "gone"}
    assert [state for state, _ in await told(collector)].count("resolved") == 1


async def test_a_host_forgotten_while_nobody_evaluates_is_found_out(collector: Collecting) -> None:
    await report(collector, 290, 1)
    collector.clock.turn(2)
    await forget(collector.db, "lb1", "ops", collector.clock())
    collector.clock.turn(7 * 24 * 3600)
    async with collecting(collector.db) as another:
        another.clock.now_ms = collector.clock()
        await another.evaluate()
        assert await states(another) == {"warm": "gone", "hot": "gone"}
        assert (await documents(another))[-1]["ended"] == "forgotten"


async def test_a_host_that_comes_back_fires_anew(collector: Collecting) -> None:
    await report(collector, 290, 1)
    await forget_it(collector)
    await report(collector, 290, 2)
    assert await states(collector) == {"warm": "firing", "hot": "firing"}
    assert (await told(collector))[-1] == ("firing", "hot")

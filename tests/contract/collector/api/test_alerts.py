"""GET /v1/alerts, GET /v1/transitions."""

from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_alerts_stand_where_the_evaluation_put_them(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    items = (await collector.get("/v1/alerts", state="firing"))["items"]
    assert [(item["rule"], item["severity"], item["held"]) for item in items] == [
        ("warm", "plan", 255),
        ("hot", "page", 255),
    ]
    assert (await collector.get("/v1/alerts", state="ok"))["items"] == []


async def test_alerts_and_their_history_tell_the_whole_story(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(220)))
    await collector.evaluate()
    collector.clock.turn(5)
    await collector.push(a_snapshot(a_reading(10), seq=2))
    await collector.evaluate()
    items = (await collector.get("/v1/transitions", host="lb1"))["items"]
    assert [(item["before"], item["after"], item["held"]) for item in items] == [
        ("firing", "ok", 10),
        ("ok", "firing", 220),
    ]
    assert [item["state"] for item in (await collector.get("/v1/alerts"))["items"]] == ["ok"]


async def test_a_state_nobody_knows_is_refused_with_the_known_ones(collector: Collecting) -> None:
    problem = await collector.refused("/v1/alerts", state="burning")
    assert problem["parameter"] == "state"
    assert "ok, pending, firing, unknown" in problem["detail"]

"""Alerts, and silences made on the page."""

from collector.access.token import Scope
from collector.alerts.conditions import Scope as About
from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from collector.alerts.subject import Subject
from collector.alerts.where import Place
from collector.storage import outbox
from collector.web.silence import silence_for
from tests.browsing import browser, page_of
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


def field(page: str, name: str) -> str:
    return page.split(f'name="{name}"')[1].split('value="')[1].split('"', maxsplit=1)[0]


async def silenced(collector: Collecting, scope: Scope, **changes: str) -> tuple[int, str]:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    async with browser() as person:
        page = await page_of(collector, person, "/alerts", scope)
        key = field(page, "alert") if scope is Scope.ADMIN else "any"
        form = {"form_token": field(page, "form_token"), "alert": key, "hours": "4", "author": "ops", "reason": "<b>"}
        async with person.post(f"{collector.url}/silence", data=form | changes) as response:
            return response.status, await response.text()


async def test_an_alert_is_silenced_with_who_and_why_and_the_silence_ended(collector: Collecting) -> None:
    status, page = await silenced(collector, Scope.ADMIN)
    assert status == 200
    assert "&lt;b&gt;" in page
    [made] = (await collector.get("/v1/silences"))["items"]
    assert (made["author"], made["where"]["host"], made["where"]["peer"]) == ("ops", ["lb1"], ["127.0.0.1:9001"])
    async with browser() as person:
        page = await page_of(collector, person, "/alerts", Scope.ADMIN)
        form = {"form_token": field(page, "form_token"), "id": str(made["id"])}
        async with person.post(f"{collector.url}/silence/end", data=form) as response:
            assert "Nothing is silenced" in await response.text()


async def test_a_reader_is_refused(collector: Collecting) -> None:
    status, page = await silenced(collector, Scope.READ)
    assert (status, "log in with an admin token" in page) == (403, True)


async def test_a_silence_needs_a_reason_and_a_form_of_this_session(collector: Collecting) -> None:
    assert (await silenced(collector, Scope.ADMIN, reason=" "))[0] == 400
    assert (await silenced(collector, Scope.ADMIN, form_token="made up"))[0] == 403
    assert (await silenced(collector, Scope.ADMIN, hours="9999"))[0] == 400
    assert (await silenced(collector, Scope.ADMIN, alert="gone"))[0] == 400
    assert (await collector.get("/v1/silences"))["items"] == []


async def test_open_alerts_are_leafed_through_and_each_page_silences_its_own(collector: Collecting) -> None:
    """Where a whole fleet burns they are thousands."""
    readings = [a_reading(256 + number % 40, pool=a_pool(9000 + number)) for number in range(60)]
    await collector.push(a_snapshot(*readings, a_reading(215, pool=a_pool(9_999))))
    await collector.evaluate()
    async with browser() as person:
        first = await page_of(collector, person, "/alerts", Scope.ADMIN)
        last = await page_of(collector, person, "/alerts?open=3&page=1", Scope.ADMIN)
        beyond = await page_of(collector, person, "/alerts?open=99", Scope.ADMIN)
        fleet = await page_of(collector, person)
    offered = first.split('name="alert"')[1].split("</select>")[0].count("<option")
    assert first.count('<li class="firing page">') == offered == 50
    assert "page 1 of 3 (121)" in first
    assert "/alerts?open=2" in first
    assert "127.0.0.1:9999" not in first
    assert last.count('<li class="firing plan">') == 21
    assert "127.0.0.1:9999" in last
    assert "127.0.0.1:9999" in beyond
    assert "<b>121</b> alerts" in fleet
    assert "and 111 more" in fleet


async def test_a_host_named_like_a_pattern_silences_nobody_else() -> None:
    case = Case(
        rule="host-silent", severity="page", subject=Subject(About.HOST, "*"), seen=Observation(), seen_ms=NOON_MS
    )
    made = silence_for(case, "ops", "why", NOON_MS, 1)
    assert made.where.accepts_place(Place(host="*"))
    assert not made.where.accepts_place(Place(host="lb1"))


async def test_each_attempt_to_tell_somebody_is_shown(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    assert "◆ still owed" in await page_of(collector, path="/alerts")
    async with collector.db.writing() as connection:
        for owed in await outbox.due(connection, "log", collector.clock(), 9):
            await outbox.record_failed(connection, owed, collector.clock(), "503 <b>later</b>", None)
    page = await page_of(collector, path="/alerts")
    assert "▲ given up" in page
    assert "failed: 503 &lt;b&gt;later&lt;/b&gt;" in page

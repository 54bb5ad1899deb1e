"""The page, as a browser sees it."""

import pytest
from aiohttp import ClientSession, CookieJar

from collector.access.token import Scope
from collector.storage import tokens
from collector.web.page import COOKIE
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


def browser() -> ClientSession:
    return ClientSession(cookie_jar=CookieJar(unsafe=True))  # Keeps cookies of bare IP addresses, as browsers do.


async def page_of(collector: Collecting) -> str:
    async with browser() as person, person.get(f"{collector.url}/?login={collector.tokens['read']}") as response:
        assert (response.status, response.url.query_string) == (200, "")
        return await response.text()


async def test_without_a_session_it_asks_for_a_token(collector: Collecting) -> None:
    async with browser() as person, person.get(collector.url) as response:
        assert response.status == 401
        assert 'name="token"' in await response.text()


async def test_a_login_link_opens_a_session_and_leaves_the_address_bar(collector: Collecting) -> None:
    link = f"{collector.url}/?login={collector.tokens['read']}"
    async with browser() as person:
        async with person.get(link, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/")
            cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert collector.tokens["read"] not in cookie
        async with person.get(collector.url) as response:
            assert response.status == 200


async def test_the_form_opens_a_session_too(collector: Collecting) -> None:
    async with browser() as person:
        form = {"token": f" {collector.tokens['read']}\n"}
        async with person.post(f"{collector.url}/login", data=form) as response:
            assert response.status == 200
            assert "Hottest pools" in await response.text()


@pytest.mark.parametrize("kind", ["push", "made up"])
async def test_a_token_that_may_not_read_opens_nothing(collector: Collecting, kind: str) -> None:
    token = collector.tokens.get(kind, "nonsense")
    async with browser() as person, person.post(f"{collector.url}/login", data={"token": token}) as response:
        assert response.status == 401
        assert COOKIE not in response.cookies


async def test_a_revoked_token_closes_its_sessions(collector: Collecting) -> None:
    token = await collector.token(Scope.READ)
    async with browser() as person:
        async with person.get(f"{collector.url}/?login={token}") as response:
            assert response.status == 200
        async with collector.db.writing() as connection:
            await tokens.revoke(connection, token.split("_")[1], collector.clock())
        async with person.get(collector.url) as response:
            assert response.status == 401


async def test_it_shows_hosts_pools_and_alerts(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    page = await page_of(collector)
    for shown in ("lb1", "edge", "127.0.0.1 -&gt; 127.0.0.1:9001", "255", "300", "45", "ESTABLISHED 255", "firing"):
        assert shown in page


async def test_what_is_unknown_is_visibly_unknown(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    collector.clock.turn(60)
    await collector.evaluate()
    page = await page_of(collector)
    assert "unknown: nothing received for 1 min" in page
    assert "85 %, unknown now" in page
    assert "(was firing)" in page
    assert 'class="hot"' not in page


async def test_what_hosts_say_is_text_never_markup(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(), labels={"role": "<script>alert(1)</script>"}))
    await collector.push(a_snapshot(host="lb2", failure="<img src=x>"))
    page = await page_of(collector)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


async def test_the_policy_allows_nothing_but_our_own_stylesheet(collector: Collecting) -> None:
    async with browser() as person, person.get(collector.url) as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in text
    async with browser() as person, person.get(f"{collector.url}/style.css") as response:
        assert (response.status, response.content_type) == (200, "text/css")


async def test_an_empty_collector_says_what_to_do(collector: Collecting) -> None:
    assert "portgauge-agent run --collector" in await page_of(collector)

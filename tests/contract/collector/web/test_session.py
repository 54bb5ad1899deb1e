"""Who sees the page, and whose forms are taken."""

import pytest

from collector.access.token import Scope
from collector.storage import tokens
from collector.web.session import COOKIE
from tests.browsing import browser, page_of
from tests.collecting import Collecting


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
        assert "SameSite=Lax" in cookie
        assert collector.tokens["read"] not in cookie
        async with person.get(collector.url) as response:
            assert response.status == 200


async def test_after_the_login_a_deep_link_is_where_it_meant_to_lead(collector: Collecting) -> None:
    async with browser() as person:
        async with person.get(f"{collector.url}/hosts?state=silent") as response:
            assert 'name="next" value="/hosts?state=silent"' in await response.text()
        form = {"token": f" {collector.tokens['read']}\n", "next": "/hosts?state=silent"}
        async with person.post(f"{collector.url}/login", data=form) as response:
            assert (response.status, response.url.path_qs) == (200, "/hosts?state=silent")


async def test_a_login_leads_nowhere_else(collector: Collecting) -> None:
    form = {"token": collector.tokens["read"], "next": "//evil.example/"}
    async with (
        browser() as person,
        person.post(f"{collector.url}/login", data=form, allow_redirects=False) as response,
    ):
        assert response.headers["Location"] == "/"


@pytest.mark.parametrize("kind", ["push", "made up"])
async def test_a_token_that_may_not_read_opens_nothing(collector: Collecting, kind: str) -> None:
    token = collector.tokens.get(kind, "nonsense")
    async with browser() as person, person.post(f"{collector.url}/login", data={"token": token}) as response:
        assert response.status == 401
        assert COOKIE not in response.cookies


async def test_a_login_form_of_another_site_is_refused(collector: Collecting) -> None:
    form, headers = {"token": collector.tokens["read"]}, {"Origin": "https://evil.example"}
    async with browser() as person, person.post(f"{collector.url}/login", data=form, headers=headers) as response:
        assert (response.status, COOKIE in response.cookies) == (403, False)


async def test_a_revoked_token_closes_its_sessions(collector: Collecting) -> None:
    token = await collector.token(Scope.READ)
    async with browser() as person:
        async with person.get(f"{collector.url}/?login={token}") as response:
            assert response.status == 200
        async with collector.db.writing() as connection:
            await tokens.revoke(connection, token.split("_")[1], collector.clock())
        async with person.get(collector.url) as response:
            assert response.status == 401


async def test_logging_out_ends_the_session(collector: Collecting) -> None:
    async with browser() as person:
        form_token = (await page_of(collector, person)).split('name="form_token" value="')[1].split('"')[0]
        async with person.post(f"{collector.url}/logout", data={"form_token": form_token}) as response:
            assert response.status == 401
        async with person.get(collector.url) as response:
            assert response.status == 401


@pytest.mark.parametrize("form_token", [None, "made up"])
async def test_a_form_without_this_sessions_token_is_refused(collector: Collecting, form_token: str | None) -> None:
    form = {"form_token": form_token} if form_token else {}
    async with browser() as person:
        await page_of(collector, person)
        async with person.post(f"{collector.url}/logout", data=form) as response:
            assert response.status == 403
        async with person.get(collector.url) as response:
            assert response.status == 200


async def test_an_error_is_a_page(collector: Collecting) -> None:
    async with browser() as person:
        await page_of(collector, person)
        async with person.get(f"{collector.url}/host?host=nobody") as response:
            assert (response.status, response.content_type) == (404, "text/html")
            assert "no host &#39;nobody&#39; ever reported" in await response.text()

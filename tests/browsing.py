"""A browser without a screen or scripts: it keeps cookies and fetches pages."""

from aiohttp import ClientSession, CookieJar

from collector.access.token import Scope
from tests.collecting import Collecting


def browser() -> ClientSession:
    return ClientSession(cookie_jar=CookieJar(unsafe=True))  # Keeps cookies of bare IP addresses, as browsers do.


async def page_of(
    collector: Collecting, person: ClientSession | None = None, path: str = "/", scope: Scope = Scope.READ
) -> str:
    """The text of a page, logged in; by a browser of its own unless one is given."""
    if person is None:
        async with browser() as fresh:
            return await page_of(collector, fresh, path, scope)
    token = collector.tokens["read"] if scope is Scope.READ else await collector.token(scope)
    mark = "&" if "?" in path else "?"
    async with person.get(f"{collector.url}{path}{mark}login={token}") as response:
        text = await response.text()
        assert (response.status, "login=" in response.url.query_string) == (200, False), text
        return text

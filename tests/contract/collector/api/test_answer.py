"""Answers a client has already."""

from collector.api.answer import etag_of
from tests.collecting import Collecting


async def asked(collector: Collecting, path: str, known: str | None = None) -> tuple[int, str, bytes]:
    """(status, ETag, body)."""
    headers = {"Authorization": f"Bearer {collector.tokens['read']}"}
    if known:
        headers["If-None-Match"] = known
    async with collector.session.get(f"{collector.url}{path}", headers=headers) as response:
        return response.status, response.headers.get("ETag", ""), await response.read()


async def test_what_is_known_is_not_sent_again(collector: Collecting) -> None:
    for path in ("/v1/rules", "/openapi.json"):
        status, etag, body = await asked(collector, path)
        assert (status, body[:1]) == (200, b"{")
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            assert await asked(collector, path, known) == (304, etag, b"")
        assert (await asked(collector, path, '"other"'))[0] == 200


async def test_a_list_that_lives_has_no_etag(collector: Collecting) -> None:
    assert (await asked(collector, "/v1/hosts"))[1] == ""


def test_the_tag_is_of_the_bytes() -> None:
    assert etag_of(b"a") == etag_of(b"a") != etag_of(b"b")

"""News without a reload."""

from tests.browsing import browser, page_of
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_stream_tells_when_something_new_was_received(collector: Collecting) -> None:
    async with browser() as person:
        await page_of(collector, person)
        async with person.get(f"{collector.url}/live") as response:
            assert response.content_type == "text/event-stream"
            seen = [await response.content.readuntil(b"data: "), await response.content.readline()]
            await collector.push(a_snapshot(a_reading()))
            await response.content.readuntil(b"data: ")
            assert await response.content.readline() != seen[1]


async def test_a_stream_asks_for_a_session(collector: Collecting) -> None:
    async with browser() as person, person.get(f"{collector.url}/live") as response:
        assert response.status == 401

"""Capacity ahead, for people."""

import asyncio

from collector.fleet.looks import Looks
from tests.browsing import browser, page_of
from tests.collecting import Collecting
from tests.growing import grow


async def test_it_says_when_a_pool_is_spent_what_it_needs_and_what_a_backend_more_would_bring(
    collector: Collecting,
) -> None:
    assert "No pool was seen in the last week" in await page_of(collector, path="/plan")
    await grow(collector)

    page = await page_of(collector, path="/plan?horizon=60&add_backends=1&role=&host=&peer=&range=")

    for shown in (
        "Doing nothing, 60 days ahead: of 1 pools 1 page (the first on 2027-01-13)",
        "1 run out (the first on 2027-01-28)",
        "With the change, 60 days ahead: of 1 pools 0 page, 0 run out",
        "2 backends or 2 destinations or 2 sources or 2 hosts",
        "peak 202 + 60 d × 3.0 a day = 382",
    ):
        assert shown in page


async def test_a_range_is_judged_role_by_role(collector: Collecting) -> None:
    await grow(collector)
    page = await page_of(collector, path="/plan?range=20000-60999")
    for shown in ("The range 20000-60999, role by role", "edge: unknown", "not safe to set yet"):
        assert shown in page


async def test_what_cannot_be_answered_is_named(collector: Collecting) -> None:
    async with browser() as person:
        await page_of(collector, person)
        for query, named in (("horizon=0", "horizon"), ("range=1", "range"), ("add_backends=x", "add_backends")):
            async with person.get(f"{collector.url}/plan?{query}") as response:
                assert response.status == 400
                assert f"{named}: " in await response.text()


async def test_while_it_is_being_read_nothing_is_claimed(collector: Collecting) -> None:
    """And it appears by itself when it is done: that part is live."""
    looks = Looks(patience_s=0)
    object.__setattr__(collector.services, "looks", looks)
    page = await page_of(collector, path="/plan")
    assert "The peaks of twelve weeks are being read" in page
    assert "data-live" in page
    await asyncio.wait_for(looks.close(), 30)

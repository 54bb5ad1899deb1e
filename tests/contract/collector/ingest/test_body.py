"""Reading a request's body. Types, encodings and bombs are in test_handler; here is what needs a slow sender."""

import asyncio

import pytest

from collector.ingest import body
from shared import wire
from tests.collecting import Collecting


async def test_a_body_that_never_ends_is_given_up(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds room that others need."""
    monkeypatch.setattr(body, "READ_S", 0.05)

    async def stalls() -> object:
        yield b"\x81"
        await asyncio.sleep(0.5)

    headers = {"Authorization": f"Bearer {collector.tokens['push']}", "Content-Type": wire.CONTENT_TYPE}
    async with collector.session.post(f"{collector.url}/v1/snapshots", data=stalls(), headers=headers) as response:
        assert response.status == 400
        assert "did not arrive within" in (await response.json(content_type=None))["detail"]

"""`rules list --running`, asked of a running collector."""

import asyncio
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.alerts.rules import Rule
from collector.storage import rules
from tests.collecting import Collecting


async def test_what_is_in_force_is_listed_with_where_it_comes_from(
    collector: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text(collector.tokens["read"])
    async with collector.db.writing() as connection:
        await rules.put(connection, Rule(name="mine", severity="page", raise_at=0.5), "token x", collector.clock())
    words = ["rules", "list", "--running", "--url", collector.url, "--token-file", str(token)]
    assert await asyncio.to_thread(main, words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "api       page  mine                 pool occupancy ≥ 0.5, clear < 0.5" in lines
    assert any(line.startswith("built-in  page  pool-nearly-full ") for line in lines)

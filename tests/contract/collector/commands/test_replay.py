"""`replay`, asked of a running collector."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.__main__ import main
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting
from tests.documented import same

RULES = """
[[rule]]
name = "warm"
severity = "page"
raise_at = 0.6
[[rule]]
name = "host-contested"
severity = "plan"
subject = "host"
condition = "contested"
"""


async def replayed(
    collector: Collecting, folder: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[str, str]:
    """What it printed, and its complaint."""
    token, rules = folder / "token", folder / "rules.toml"
    token.write_text(collector.tokens["read"])
    rules.write_text(RULES)
    for seq, held in enumerate((100, 200, 290, 100)):
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
        collector.clock.turn(10)
    options = (
        "--from",
        "2026-11-22T12:00:05",
        "--rules",
        str(rules),
        "--url",
        collector.url,
        "--token-file",
        str(token),
    )
    assert await asyncio.to_thread(main, ["replay", *options, *words]) == 0
    printed = capsys.readouterr()
    return printed.out, printed.err


async def test_a_person_reads_who_was_first_and_what_each_rule_would_have_said(
    collector: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, err = await replayed(collector, tmp_path, capsys, "--host", "lb*")
    rule = "warm                "
    pool = "lb1: 127.0.0.1 -> 127.0.0.1:9001"
    assert err == ""
    assert text.splitlines() == [
        "2026-11-22 12:00:05 to 2026-11-22 12:00:40 UTC: 1 hosts, 4 reports, 1 rules",
        "history does not keep what these ask for: host-contested",
        f"first to leave its band: {pool} holds 200 of 300 ports (66.6 %), 100 left (2026-11-22 12:00:10, warm)",
        f"2026-11-22 12:00:10  PAGE  {rule} ok → firing   {pool} holds 200 of 300 ports (66.6 %), 100 left",
        f"2026-11-22 12:00:30  PAGE  {rule} firing → ok       {pool} holds 100 of 300 ports (33.3 %), 200 left",
    ]


async def test_a_program_reads_what_is_documented(
    collector: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = await replayed(collector, tmp_path, capsys, "--json")
    same("portgauge-collector replay --json", json.loads(text))


async def test_where_nothing_was_near_it_says_so(
    collector: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = await replayed(collector, tmp_path, capsys, "--peer", "192.0.2.1")
    assert text.splitlines()[-1] == "no rule would have said anything"

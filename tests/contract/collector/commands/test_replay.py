"""`replay`, asked of a running collector."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.storage import silences
from tests.builders import NOON_MS, a_reading, a_snapshot
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
        "not judged: host-contested: history does not keep which machine or agent a report came from",
        f"first to leave its band: {pool} holds 200 of 300 ports (66.6 %), 100 left (2026-11-22 12:00:10, warm)",
        f"2026-11-22 12:00:10  PAGE  {rule} ok → firing   {pool} holds 200 of 300 ports (66.6 %), 100 left",
        f"2026-11-22 12:00:10  ▶ told: PAGE {pool} holds 200 of 300 ports (66.6 %), 100 left; to log",
        f"2026-11-22 12:00:30  PAGE  {rule} firing → ok       {pool} holds 100 of 300 ports (33.3 %), 200 left",
        f"2026-11-22 12:00:30  ▶ told: RESOLVED {pool} holds 100 of 300 ports (33.3 %), 200 left; to log",
    ]


async def test_notices_that_a_silence_would_have_held_back_are_marked(
    collector: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page at ten seconds past was silenced; it was over before the silence was, so nobody would have heard."""
    quiet = Silence(
        author="ops",
        reason="upgrade",
        starts_ms=NOON_MS,
        ends_ms=NOON_MS + 3_600_000,
        where=Where(host=("lb1",)),
        created_ms=NOON_MS,
    )
    async with collector.db.writing() as connection:
        await silences.add(connection, quiet)
    text, _ = await replayed(collector, tmp_path, capsys)
    [*_, said, fired, resolved] = text.splitlines()
    assert said == "silences of the time would have held back 2 of these changes"
    for line in (fired, resolved):
        assert line.split()[2] == "page"
        assert line.endswith(" left  (held back: silence 1 by ops, upgrade)")


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

"""Questions from the command line to a running collector."""

import asyncio
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.__main__ import main
from collector.commands.ask import QUESTIONS, shown
from collector.history.tiers import RAW
from collector.storage import chunks
from shared.answer import NotUnderstood, answer_of
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting


@pytest.fixture
def token_file(collector: Collecting, tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(collector.tokens["read"] + "\n")
    return file


async def told(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """(status, what it printed, its complaint)."""
    options = ["--url", collector.url, "--token-file", str(token_file)]
    status = await asyncio.to_thread(main, [*words, *options])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


async def test_a_table_for_a_person_and_json_for_a_program(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await collector.push(a_snapshot(a_reading(270)))
    status, text, _ = await told(collector, token_file, capsys, "pools")
    assert status == 0
    assert " ".join(text.splitlines()[1].split()) == "lb1 edge host 127.0.0.1 → 127.0.0.1:9001 270 300 90.0 % ok"
    _, text, _ = await told(collector, token_file, capsys, "pools", "--json", "--min-occupancy", "0.5")
    assert json.loads(text)["items"][0]["held"] == 270
    _, text, _ = await told(collector, token_file, capsys, "pools", "--csv")
    assert text.splitlines()[0].startswith("host,role,netns,kind,local_ip")
    trend = ("trend", "--host", "lb1", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001")
    _, text, _ = await told(collector, token_file, capsys, *trend)
    assert text.splitlines()[-1].split()[2:] == ["270", "270.0", "270", "300"]


async def test_a_trend_says_what_of_it_is_lost(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await collector.push(a_snapshot(a_reading(270)))
    async with collector.db.writing() as connection:
        await chunks.note_lost(connection, RAW, {(1, NOON_MS - RAW.span_ms): "broken"}, NOON_MS)
    trend = ("trend", "--host", "lb1", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001")
    _, text, _ = await told(collector, token_file, capsys, *trend)
    begin, end = "2026-11-22 11:50:00", "2026-11-22 12:00:00"
    assert text.splitlines()[-1] == f"lost: of {begin} to {end} history cannot tell all that it once held"
    _, text, _ = await told(collector, token_file, capsys, *trend, "--json")
    assert json.loads(text)["lost"] == [{"from_ms": NOON_MS - RAW.span_ms, "to_ms": NOON_MS}]


@pytest.mark.parametrize("name", sorted(set(QUESTIONS) - {"trend", "peers"}))
async def test_every_question_has_an_answer(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    await collector.push(a_snapshot(a_reading(270)))
    for how in ((), ("--json",), ("--csv",)):
        status, text, err = await told(collector, token_file, capsys, name, *how)
        assert (status, err) == (0, "")
        assert text


async def test_lists_are_told_over_all_of_their_pages(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.commands.client.PAGE", 2)
    hosts = [f"lb{number}" for number in range(5)]
    for host in hosts:
        await collector.push(a_snapshot(a_reading(270), host=host))
    for name, limit, count in (("hosts", (), 5), ("pools", (), 5), ("pools", ("--limit", "3"), 3)):
        _, text, _ = await told(collector, token_file, capsys, name, *limit, "--json")
        document = json.loads(text)
        assert [item["host"] for item in document["items"]] == hosts[:count]
        assert (document["next"] is None) == (count == 5)
    status, _, err = await told(collector, token_file, capsys, "pools", "--limit", "0")
    assert (status, "limit: a whole number" in err) == (2, True)


async def test_a_mistake_is_one_line_that_says_what(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, _, err = await told(collector, token_file, capsys, "top", "--limit", "many")
    assert (status, err.count("\n")) == (2, 1)
    assert "limit: a whole number" in err
    status, _, err = await told(collector, tmp_path / "none", capsys, "top")
    assert (status, "cannot be read" in err) == (2, True)
    status, _, err = await told(collector, Path(__file__), capsys, "hosts")
    assert (status, "holds no token" in err) == (2, True)


def without_each(whole: Any) -> Iterator[Any]:
    """The document without each of its keys, one at a time, of whichever object in it."""
    found: list[tuple[str | int, ...]] = []
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(whole, ())]
    while stack:
        value, path = stack.pop()
        children = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        for key, child in children:
            found += [(*path, key)] if isinstance(key, str) else []
            stack.append((child, (*path, key)))
    for path in found:
        made = parent = copy.deepcopy(whole)
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
        yield made


WHAT_IF = ("--add-backends", "1", "--range", "1024-65535")
POOL = ("--host", "lb1", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001")


@pytest.mark.parametrize(
    "words", [(name, *{"trend": POOL, "peers": POOL[4:], "plan": WHAT_IF}.get(name, ())) for name in QUESTIONS]
)
async def test_an_older_collector_that_lacks_a_key_is_said_to(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Whatever key it is: never a fault of ours."""
    for seq, held in enumerate((255, 270)):
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
        collector.clock.turn(10)
    status, text, _ = await told(collector, token_file, capsys, *words, "--json")
    assert status == 0
    complaints = set()
    for older in without_each(json.loads(text)):
        try:
            shown(QUESTIONS[words[0]], answer_of(json.dumps(older).encode(), "there"), is_json=False, is_csv=False)
        except NotUnderstood as error:
            complaints.add(str(error))
    assert any("there answers without" in one for one in complaints)


async def test_a_collector_that_does_not_know_the_question_may_be_too_old(
    collector: Collecting, token_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(QUESTIONS, "plan", replace(QUESTIONS["plan"], path="/v1/tomorrow"))
    status, _, err = await told(collector, token_file, capsys, "plan")
    assert (status, err.count("\n")) == (2, 1)
    assert f"{collector.url}/v1/tomorrow: nothing is here" in err
    assert "older than this command is to be upgraded first" in err

"""Any window, from the command line."""

import asyncio
import csv
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.commands import export
from collector.commands.export import NoParquet
from collector.history.tiers import RAW
from collector.storage import chunks
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting


@pytest.fixture
async def told(collector: Collecting, tmp_path: Path) -> list[str]:
    """Settled and fresh snapshots, and the options to ask for all of them."""
    collector.clock.turn(3_600)
    for seq in range(5):
        at_ms = NOON_MS + seq * 600_000
        await collector.push(a_snapshot(a_reading(seq + 1), seq=seq, taken_at_ms=at_ms))
        if seq == 2:
            await collector.compact()
    token = tmp_path / "token"
    token.write_text(collector.tokens["read"])
    return ["--url", collector.url, "--token-file", str(token), "--from", str(NOON_MS // 1000)]


async def run(*words: str) -> int:
    return await asyncio.to_thread(main, ["export", *words])


def held_in(file: Path) -> list[int]:
    with file.open(encoding="utf-8") as lines:
        return [int(row["held"]) for row in csv.DictReader(lines)]


async def test_csv_has_chunks_and_the_log(told: list[str], tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    assert await run(*told, "--output", str(file)) == 0
    assert held_in(file) == [1, 2, 3, 4, 5]


async def test_parquet_has_the_same(told: list[str], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra parquet)")
    file = tmp_path / "out.parquet"
    assert await run(*told, "--output", str(file)) == 0
    table = parquet.read_table(file)
    assert table["held"].to_pylist() == [1, 2, 3, 4, 5]
    assert table["host"].to_pylist() == ["lb1"] * 5


@pytest.fixture
async def damaged(told: list[str], collector: Collecting) -> list[str]:
    """As before, but for the first ten minutes, which nobody can read any more."""
    async with collector.db.writing() as connection:
        await chunks.set_aside(connection, RAW, (1, NOON_MS), "broken", collector.clock())
    return told


LOST = (NOON_MS, NOON_MS + RAW.span_ms)


async def test_csv_tells_what_is_lost_and_so_does_the_terminal(
    damaged: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.csv"
    assert await run(*damaged, "--output", str(file)) == 0
    with file.open(encoding="utf-8") as lines:
        lost, *rows = csv.DictReader(lines)
    assert (int(lost["at_ms"]), int(lost["lost_until_ms"]), lost["held"]) == (*LOST, "")
    assert [row["held"] for row in rows] == ["2", "3", "4", "5"]
    assert "a stretch of history is lost: see lost_until_ms" in capsys.readouterr().err


async def test_parquet_tells_it_too(damaged: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the very first line has no number the columns still are numbers."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra parquet)")
    file = tmp_path / "out.parquet"
    assert await run(*damaged, "--output", str(file)) == 0
    table = parquet.read_table(file)
    assert table["held"].to_pylist() == [None, 2, 3, 4, 5]
    assert (table["at_ms"][0].as_py(), table["lost_until_ms"].to_pylist()) == (LOST[0], [LOST[1], *[None] * 4])
    assert table["peer_ip"].to_pylist()[0] == ""
    assert "a stretch of history is lost" in capsys.readouterr().err


@pytest.mark.parametrize("tier", ["minute", "hour"])
async def test_tiers_that_are_not_made_yet_are_there_in_both(told: list[str], tmp_path: Path, tier: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra parquet)")
    files = [tmp_path / "out.csv", tmp_path / "out.parquet"]
    for file in files:
        assert await run(*told, "--tier", tier, "--output", str(file)) == 0
    with files[0].open(encoding="utf-8") as lines:
        highest = [int(row["held_max"]) for row in csv.DictReader(lines)]
    assert highest == parquet.read_table(files[1])["held_max"].to_pylist()
    assert highest == ([1, 2, 3, 4, 5] if tier == "minute" else [5])


async def test_a_window_with_nothing_in_it_is_an_empty_table(told: list[str], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra parquet)")
    file = tmp_path / "out.parquet"
    to_s = str(NOON_MS // 1000 - 3_000)
    assert await run(*told, "--from", str(NOON_MS // 1000 - 3_600), "--to", to_s, "--output", str(file)) == 0
    table = parquet.read_table(file)
    assert (table.num_rows, str(table.schema.field("held").type)) == (0, "int64")


async def test_where_parquet_cannot_be_written_it_says_what_to_install(
    told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise NoParquet

    monkeypatch.setattr(export, "_pyarrow", missing)
    assert await run(*told, "--output", "x.parquet") == 2
    assert "portgauge[collector,parquet]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        (("--tier", "second"), "tier"),
        (("--host", "nobody"), "nobody"),
        (("--to", "1"), "to"),
        (("--from", "1"), "from"),
    ],
)
async def test_a_mistake_names_its_parameter(
    told: list[str], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], parameter: str
) -> None:
    assert await run(*told, *words) == 2
    assert parameter in capsys.readouterr().err

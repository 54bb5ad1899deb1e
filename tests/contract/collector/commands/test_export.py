"""Any window, from the command line."""

import asyncio
import csv
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.commands import export
from collector.commands.export import NoParquet
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

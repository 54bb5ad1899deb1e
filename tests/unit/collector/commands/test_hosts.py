"""`hosts forget`; the question `hosts` is asked in test_ask.py."""

import asyncio
import json
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.fleet.host import Host
from collector.storage import hosts
from collector.storage.database import database
from collector.storage.location import locate


async def made(file: str) -> None:
    async with database(locate(file)) as db, db.writing() as connection:
        await hosts.ensure(connection, ["lb1"])


async def found(file: str) -> Host | None:
    async with database(locate(file)) as db, db.reading() as connection:
        return await hosts.by_name(connection, "lb1")


def test_a_host_is_forgotten_with_its_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "x.db")
    assert main(["migrate", "--database", file]) == 0
    assert main(["token", "create", "--scope", "push", "--host", "lb1", "--database", file]) == 0
    asyncio.run(made(file))
    capsys.readouterr()
    assert main(["hosts", "forget", "lb1", "--database", file]) == 0
    assert capsys.readouterr().out == "lb1 is forgotten; 1 of its tokens revoked\n"
    host = asyncio.run(found(file))
    assert host
    assert host.forgotten_ms
    assert main(["hosts", "forget", "lb1", "--database", file]) == 2
    assert "no host 'lb1' ever reported" in capsys.readouterr().err
    assert main(["audit", "--json", "--database", file]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["action"] == "host-forget"


def test_help_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["hosts", "--help"])
    assert "forget" in capsys.readouterr().out

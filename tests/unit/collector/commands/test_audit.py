"""`audit`."""

import json
from pathlib import Path

import pytest

from collector.__main__ import main


def test_who_made_and_ended_tokens_is_told_without_their_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--database", str(tmp_path / "x.db")]
    main(["migrate", *database])
    capsys.readouterr()
    main(["audit", *database])
    assert capsys.readouterr().out == "nothing was done yet\n"
    main(["token", "create", "--scope", "push", "--host", "lb1", *database])
    secret = capsys.readouterr().out.strip().split("_", 2)[2]
    main(["token", "rotate", "--host", "lb1", *database])
    main(["token", "revoke", "--host", "lb1", *database])
    main(["audit", "--host", "lb1", *database])
    shown = capsys.readouterr().out
    assert [line.split()[2] for line in shown.splitlines()[1:]] == ["token-revoke", "token-rotate", "token-create"]
    assert secret not in shown
    main(["audit", "--json", "--limit", "1", *database])
    [item] = json.loads(capsys.readouterr().out)["items"]
    assert (item["action"], item["host"]) == ("token-revoke", "lb1")

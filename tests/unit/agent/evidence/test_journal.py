"""A real journald, in a mount namespace of its own, and journalctl over it."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import JournalUnreadable
from agent.evidence.journal import command, journal_lines

JOURNALD = Path("/lib/systemd/systemd-journald")
SCRIPT = """
set -e
mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/journal /run/log/journal
%(journald)s 2>/dev/null & journald=$!
trap 'kill $journald' EXIT
until [ -S /run/systemd/journal/stdout ]; do sleep 0.05; done
echo before | systemd-cat -t haproxy
until journalctl -q -n1 | grep -q before; do sleep 0.05; done
"$@"
"""
LISTENER = """
import asyncio, subprocess
from agent.evidence.journal import journal_lines

async def main():
    lines = journal_lines(["haproxy"])
    first = asyncio.ensure_future(anext(lines))
    while not first.done():  # journalctl says nothing until somebody does.
        for name in ("nginx", "haproxy"):
            subprocess.run(["systemd-cat", "-t", name, "echo", f"{name} speaks"], check=True)
        await asyncio.wait([first], timeout=0.2)
    print(first.result(), flush=True)
    await lines.aclose()

asyncio.run(main())
"""


def test_only_new_messages_of_these_programs_are_asked_for() -> None:
    assert command(["haproxy", "nginx"])[1:] == [
        "--follow",
        "--lines=0",
        "--output=cat",
        "--quiet",
        "--identifier=haproxy",
        "--identifier=nginx",
    ]


@pytest.mark.usefixtures("namespaces")
def test_what_a_program_writes_to_the_journal_is_read_and_what_others_write_is_not() -> None:
    if not JOURNALD.exists() or not shutil.which("journalctl"):
        pytest.skip("systemd's journal is not installed here")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", SCRIPT % {"journald": JOURNALD}, "sh", sys.executable, "-c", LISTENER],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("haproxy speaks\n", 0), done.stderr


async def test_where_there_is_no_journalctl_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(JournalUnreadable, match="journalctl cannot be run"):
        await anext(journal_lines(["haproxy"]))


async def test_when_journalctl_ends_its_words_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "journalctl"
    refusing.write_text("#!/bin/sh\necho 'No journal files were opened' >&2; exit 1\n", encoding="utf-8")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(JournalUnreadable, match="No journal files were opened"):
        await asyncio.wait_for(anext(journal_lines(["haproxy"])), 30)

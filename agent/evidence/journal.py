"""Lines that programs write to systemd's journal, through journalctl, which outlives every format of its files."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from agent.errors import JournalUnreadable

MOST_BYTES: Final = 64 * 1024
"""Read at once; a line beyond that is not kept."""
FIRST_WORDS: Final = 400


def command(identifiers: Sequence[str]) -> list[str]:
    """What is run: new messages only, of these syslog identifiers (`haproxy`, `nginx`)."""
    return [
        "journalctl",
        "--follow",
        "--lines=0",
        "--output=cat",
        "--quiet",
        *(f"--identifier={name}" for name in identifiers),
    ]


async def journal_lines(identifiers: Sequence[str]) -> AsyncGenerator[str, None]:
    """Each message as it comes. Ends by raising JournalUnreadable; the process ends with the iteration."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command(identifiers),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise JournalUnreadable(f"journalctl cannot be run: {error}") from None
    try:
        async for line in _lines(process.stdout):
            yield line
        words = (await process.stderr.read(FIRST_WORDS)).decode("utf-8", "replace").strip() if process.stderr else ""
        raise JournalUnreadable(f"journalctl ended: {words or 'it gave no reason'}")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    rest = b""
    while stream and (chunk := await stream.read(MOST_BYTES)):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest if len(rest) <= MOST_BYTES else b""
        for line in lines:
            yield line.decode("utf-8", "replace")

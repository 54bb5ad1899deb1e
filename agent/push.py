"""Sending spooled snapshots over one kept-alive connection, newest first. The edge to the collector."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.backoff import delay_s
from agent.delivery import Fate, fate, retry_after_s
from agent.errors import TokenUnreadable
from agent.lean import aiohttp, trust
from agent.secret_file import SecretExposed, read_secret
from agent.spool import Spool, Spooled
from agent.tallies import UNREACHABLE, Pushes
from shared.logs import fields
from shared.wire import CONTENT_TYPE

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
IDLE_CONNECTION_S = 3_600.0
"""Longer than any interval: the agent must not need a new port of a host that has none left."""
BACKLOG_PAUSE_S = 0.05
NOT_ALLOWED_PAUSE_S = 30.0
MOST_OF_AN_ANSWER = 300
"""Bytes of a refusal that go into the log."""


@dataclass(slots=True)
class Pusher:
    """Sends what the spool holds whenever `wake` is set, and again after a failure's delay."""

    spool: Spool
    url: str
    read_token: Callable[[], str]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whoever spooled a snapshot."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing waits to be sent."""
    pushes: Pushes = field(default_factory=Pushes)
    _failures: int = 0
    _complaint: str = ""

    async def push_forever(self, session: aiohttp.ClientSession) -> None:
        """Never returns; a failure of the network or the collector is a reason to wait, not to end."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            self.idle.clear()
            await self._push_all(session)
            self.idle.set()

    async def _push_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            spooled = await asyncio.to_thread(self.spool.newest)
            if spooled is None:
                return
            await asyncio.sleep(await self._push(session, spooled))

    async def _push(self, session: aiohttp.ClientSession, spooled: Spooled) -> float:
        """Send one and settle its fate; answers how long to rest before the next, in seconds."""
        try:
            status, retry_after, answer = await self._post(session, spooled)
        except (aiohttp.ClientError, TimeoutError, OSError, TokenUnreadable) as error:
            self.pushes.verdicts[UNREACHABLE] += 1
            return self._failed(f"the collector at {self.url} cannot be reached: {error or type(error).__name__}", None)
        verdict = fate(status)
        self.pushes.verdicts[verdict.name.lower()] += 1
        if verdict is Fate.TAKEN:
            await asyncio.to_thread(self.spool.taken, spooled.seq)
            self._succeeded(spooled)
            return BACKLOG_PAUSE_S
        message = f"the collector at {self.url} answered {status}: {answer}"
        if verdict is Fate.REFUSED:
            await asyncio.to_thread(self.spool.refused, spooled.seq)
            self._say_once(f"{message}; set aside", seq=spooled.seq)
            return BACKLOG_PAUSE_S
        if verdict is Fate.NOT_ALLOWED:
            self._say_once(f"{message}; snapshots are kept until the token in --token-file is right")
            return NOT_ALLOWED_PAUSE_S
        return self._failed(message, retry_after_s(retry_after))

    async def _post(self, session: aiohttp.ClientSession, spooled: Spooled) -> tuple[int, str | None, str]:
        headers = {"Content-Type": CONTENT_TYPE, "Authorization": f"Bearer {self.read_token()}"}
        async with session.post(self.url, data=spooled.body, headers=headers, allow_redirects=False) as response:
            body = await response.content.read(MOST_OF_AN_ANSWER)
            return response.status, response.headers.get("Retry-After"), body.decode(errors="replace").strip()

    def _succeeded(self, spooled: Spooled) -> None:
        if self._complaint:
            log.info("the collector takes snapshots again", extra=fields(after_failures=self._failures))
        self._failures, self._complaint = 0, ""
        self.pushes.taken_bytes += len(spooled.body)
        log.debug("pushed", extra=fields(seq=spooled.seq, bytes=len(spooled.body)))

    def _failed(self, message: str, retry_after: float | None) -> float:
        self._failures += 1
        self._say_once(f"{message}; snapshots are spooled and sent later")
        return retry_after if retry_after is not None else delay_s(self._failures, random.random())  # noqa: S311 - jitter

    def _say_once(self, message: str, **facts: object) -> None:
        if message != self._complaint:
            log.warning(message, extra=fields(**facts))
        self._complaint = message


def token_reader(path: Path) -> Callable[[], str]:
    """Read the token anew for each push, so that a rotated one is taken up without a restart."""

    def read() -> str:
        try:
            token = read_secret(path).strip()
        except SecretExposed as error:
            raise TokenUnreadable(path, f"{error.why}; {error.fix} {path}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnreadable(path, str(error)) from error
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise TokenUnreadable(path, "it does not hold one token")
        return token

    return read


@asynccontextmanager
async def pushing(pusher: Pusher) -> AsyncIterator[None]:
    """Push for as long as the block is open. An unforeseen fault ends the block."""
    connector = aiohttp.TCPConnector(limit=1, keepalive_timeout=IDLE_CONNECTION_S, ssl=trust(pusher.url))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pusher.push_forever(session), name="pushing")
        try:
            pusher.wake.set()
            yield
        finally:
            task.cancel()

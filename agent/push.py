"""Sending spooled snapshots over one kept-alive line, newest first, the backlog slowly."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from agent.abridge import abridged
from agent.backoff import delay_s
from agent.config import AgentConfig
from agent.delivery import Fate, fate, pause_s, receipt, retry_after_s
from agent.errors import NotEnrolled, SamplingFailed, TokenUnreadable
from agent.line import Line, Reply, Route, Unreachable, client_tls, line
from agent.secret_file import SecretExposed, read_secret
from agent.spool import Spool, Spooled
from agent.sysctl import read_port_settings
from agent.tallies import UNREACHABLE, Pushes
from agent.tls import TlsFiles
from shared import clock
from shared.limits import MAX_BODY_BYTES
from shared.logs import fields
from shared.ports import format_ports, parse_ports

log = logging.getLogger(__name__)

WARM_EVERY_S = 45.0
"""Below the idle time of usual proxies, a minute; agents that report more often never need it."""
NOT_ALLOWED_PAUSE_S = 30.0
NOT_ENROLLED_PAUSE_S = 5.0
"""Shorter: a host that was made anew waits for the silence of the one before it."""
LIMIT_HOLDS_S = 3_600.0
"""How long a 413 is remembered before a snapshot is told in full again."""
MOST_SAID = 300
"""Characters of a refusal that go into the log."""


class Rest(NamedTuple):
    """How long to leave the collector alone; `for_backlog` only, so that a new snapshot goes at once."""

    seconds: float
    for_backlog: bool = False


async def nothing() -> None:
    """Where nobody minds the token."""


@dataclass(slots=True)
class Pusher:
    """Sends what the spool holds whenever `wake` is set, and again after a failure's delay."""

    spool: Spool
    route: Route
    read_token: Callable[[], str]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whoever spooled a snapshot."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing waits to be sent."""
    pushes: Pushes = field(default_factory=Pushes)
    ensure_token: Callable[[], Awaitable[None]] = nothing
    """Called before each push: there should be a token to read after it."""
    renew_token: Callable[[], Awaitable[None]] = nothing
    """Called when the collector wants another token."""
    _failures: int = 0
    _complaint: str = ""
    _most_bytes: int = MAX_BODY_BYTES
    _limited_at_s: float = 0.0

    async def push_forever(self, to: Line) -> None:
        """Never returns; a failure of the network or the collector is a reason to wait, not to end."""
        while True:
            if await self._is_woken_within(WARM_EVERY_S):
                self.idle.clear()
                await self._push_all(to)
                self.idle.set()
            else:
                await self._keep_warm(to)

    async def _is_woken_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            return False
        self.wake.clear()
        return True

    async def _keep_warm(self, to: Line) -> None:
        try:
            await to.keep_warm()
        except Unreachable as error:
            log.debug("the line to the collector is cold", extra=fields(why=str(error)))

    async def _push_all(self, to: Line) -> None:
        while (spooled := self.spool.latest or await asyncio.to_thread(self.spool.newest)) is not None:
            rest = await self._push(to, spooled)
            if rest is None:
                return
            if rest.for_backlog:
                await self._is_woken_within(rest.seconds)
            else:
                await asyncio.sleep(rest.seconds)

    async def _push(self, to: Line, spooled: Spooled) -> Rest | None:
        """Send one and settle its fate; answers how to rest before the next, None where it was the last."""
        began_s = clock.monotonic_s()
        body = self._short_enough(spooled.body, began_s)
        try:
            await self.ensure_token()
            reply = await to.post(body, self.read_token())
        except NotEnrolled as error:
            self.pushes.verdicts[Fate.NOT_ALLOWED.name.lower()] += 1
            self._say_once(f"{error}; snapshots are kept until it does")
            return Rest(NOT_ENROLLED_PAUSE_S * (1 + random.random()))  # noqa: S311 - jitter
        except (Unreachable, TokenUnreadable) as error:
            self.pushes.verdicts[UNREACHABLE] += 1
            return self._failed(f"the collector at {self.route.url} cannot be reached: {error}", None)
        told = receipt(reply.body)
        verdict = fate(reply.status, is_accepted=told.is_accepted)
        self.pushes.verdicts[verdict.name.lower()] += 1
        if verdict is Fate.TAKEN:
            is_last = self.spool.taken_at_once(spooled.seq)
            if not is_last:
                await asyncio.to_thread(self.spool.taken, spooled.seq)
            self._succeeded(spooled.seq, len(body))
            self.pushes.hear_of(told.config_revision)
            if told.renew_token:
                await self.renew_token()
            if is_last:
                return None
            return Rest(pause_s(clock.monotonic_s() - began_s), for_backlog=True)
        return await self._not_taken(verdict, reply, spooled.seq, body)

    async def _not_taken(self, verdict: Fate, reply: Reply, seq: int, body: bytes) -> Rest:
        said = " ".join(reply.body.decode(errors="replace").split())[:MOST_SAID]
        message = f"the collector at {self.route.url} answered {reply.status}: {said}"
        if verdict is Fate.TOO_LARGE:
            self._most_bytes, self._limited_at_s = len(body) // 2, clock.monotonic_s()
            if abridged(body, self._most_bytes):
                self._say_once(f"{message}; fewer pools are told one by one", bytes=len(body))
                return Rest(0.0)
        if verdict in (Fate.REFUSED, Fate.TOO_LARGE):
            await asyncio.to_thread(self.spool.refused, seq)
            self._say_once(f"{message}; set aside", seq=seq)
            return Rest(pause_s(0.0), for_backlog=True)
        if verdict is Fate.NOT_ALLOWED:
            self._say_once(f"{message}; snapshots are kept until an operator mends this")
            return Rest(NOT_ALLOWED_PAUSE_S * (1 + random.random()))  # noqa: S311 - jitter
        return self._failed(message, retry_after_s(reply.retry_after, time.time()))

    def _short_enough(self, body: bytes, now_s: float) -> bytes:
        if self._most_bytes < MAX_BODY_BYTES and now_s - self._limited_at_s > LIMIT_HOLDS_S:
            self._most_bytes = MAX_BODY_BYTES
        return abridged(body, self._most_bytes) or body

    def _succeeded(self, seq: int, size: int) -> None:
        if self._complaint:
            log.info("the collector takes snapshots again", extra=fields(after_failures=self._failures))
        self._failures, self._complaint = 0, ""
        self.pushes.taken_bytes += size
        log.debug("pushed", extra=fields(seq=seq, bytes=size))

    def _failed(self, message: str, retry_after: float | None) -> Rest:
        """Jitter on top of what was asked for, too: a fleet that is told the same must not come back in step."""
        self._failures += 1
        self._say_once(f"{message}; snapshots are spooled and sent later")
        return Rest((retry_after or 0.0) + delay_s(self._failures, random.random()))  # noqa: S311 - jitter

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


def route_of(config: AgentConfig) -> Route:
    """The way to the collector as it is configured."""
    return Route(
        base=config.collector,
        source_ports=tuple(sorted(parse_ports(config.source_ports))),
        tls=TlsFiles(config.tls_ca, config.tls_cert, config.tls_key),
        proxy_from_env=config.proxy_from_env,
        gzip=config.gzip,
    )


def require_usable(config: AgentConfig) -> None:
    """Raise TokenUnreadable or TlsUnusable where no snapshot could be sent, whatever the collector does."""
    is_to_join = config.join_token_file is not None and not config.token_file.exists()
    token_reader(config.join_token_file if config.join_token_file and is_to_join else config.token_file)()
    client_tls(route_of(config))


@asynccontextmanager
async def pushing(pusher: Pusher) -> AsyncIterator[None]:
    """Push for as long as the block is open. An unforeseen fault ends the block. Raises TlsUnusable."""
    _warn_of_ports_that_are_lent(pusher.route.source_ports)
    async with line(pusher.route, pusher.pushes) as to, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pusher.push_forever(to), name="pushing")
        try:
            pusher.wake.set()
            yield
        finally:
            task.cancel()


def _warn_of_ports_that_are_lent(source_ports: tuple[int, ...]) -> None:
    if not source_ports:
        return
    try:
        kernel = read_port_settings()
    except SamplingFailed:
        return  # Sampling says so.
    lent = [port for port in source_ports if port in kernel.port_range and port not in kernel.reserved]
    if lent:
        log.warning(
            "source_ports: the kernel lends some to anybody; add them to net.ipv4.ip_local_reserved_ports",
            extra=fields(ports=format_ports(lent)),
        )

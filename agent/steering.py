"""Following the fleet's configuration: fetch it when the collector speaks of another revision, apply it, report.

Fetched over a connection of its own, which is closed: the one that is held is for snapshots, and the collector reads
nothing but snapshots off it fast.
"""

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from agent.errors import TokenUnreadable
from agent.line import Route, Unreachable, line
from agent.steered import UNSTEERED, Steered, as_text, from_text, judged
from agent.tallies import Pushes, Samplings
from shared import clock
from shared.errors import PortgaugeError
from shared.logs import fields

log = logging.getLogger(__name__)

FILE = "fleet.json"
LOOK_S = 0.5
AGAIN_S = 15.0
"""After a fetch that failed, half of it or up to all by chance."""

Apply = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Bring these settings into force; raises PortgaugeError where they cannot be."""


class NotFetched(PortgaugeError):
    """The collector gave no configuration that can be read."""


@dataclass(slots=True)
class Steering:
    """The revisions of one host, as they come and are proved. `samplings` tells others what came of it."""

    file: Path
    samplings: Samplings
    pushes: Pushes
    apply: Apply
    route: Callable[[], Route]
    read_token: Callable[[], str]
    _etag: str = ""
    _not_before_s: float = 0.0
    _from: tuple[int, int] = (0, 0)
    """Samples that had succeeded and failed when the trial began."""
    _complaint: str = field(default="")

    def recall(self) -> Steered:
        """At the start: what was in force, and whether it still is."""
        steered = _read(self.file)
        self._keep(steered.started())
        if steered.is_on_trial and not self.steered.is_on_trial:
            self._tell_undone(steered.revision)
        return self.steered

    def give_up(self, why: str) -> None:
        """What was in force cannot be any more: the host goes by its own configuration."""
        self._keep(self.steered.given_up(why))

    @property
    def steered(self) -> Steered:
        """How it stands."""
        return self.samplings.steered

    async def follow_forever(self) -> None:
        """Never returns. Sleeps until the collector speaks of another revision, if there is nothing to do."""
        while True:
            if self.steered.is_on_trial or self.steered.wants(self.pushes.config_revision):
                await asyncio.sleep(LOOK_S)
            else:
                await self.pushes.another_revision.wait()
            self.pushes.another_revision.clear()
            await self.look()

    async def look(self) -> None:
        """Judge what is on trial; else fetch what the collector speaks of."""
        if self.steered.is_on_trial:
            await self._judge()
        elif self.steered.wants(self.pushes.config_revision) and clock.monotonic_s() >= self._not_before_s:
            await self._fetch_and_try()

    async def _judge(self) -> None:
        succeeded, failed = (now - then for now, then in zip(self._counts(), self._from, strict=True))
        tried, now = self.steered, judged(self.steered, succeeded, failed)
        if now == tried:
            return
        if now.is_on_trial or now.revision == tried.revision:
            log.info("the fleet's configuration is applied", extra=fields(revision=now.revision))
        else:
            now = await self._gone_back(now)
            self._tell_undone(tried.revision, now.why)
        await asyncio.to_thread(self._keep, now)

    async def _gone_back(self, to: Steered) -> Steered:
        try:
            await self.apply(to.settings)
        except PortgaugeError as error:  # The host's own file changed since that was good.
            await self.apply({})
            return to.given_up(str(error))
        return to

    async def _fetch_and_try(self) -> None:
        try:
            fetched = await self._fetch()
        except (NotFetched, TokenUnreadable, Unreachable) as error:
            self._not_before_s = clock.monotonic_s() + AGAIN_S * (0.5 + random.random() / 2)  # noqa: S311 - jitter
            if str(error) != self._complaint:
                log.warning("the fleet's configuration is not fetched", extra=fields(why=str(error)))
            self._complaint = str(error)
            return
        self._complaint = ""
        if fetched is None or not self.steered.wants(fetched[0]):
            self._not_before_s = clock.monotonic_s() + LOOK_S
            return
        revision, settings = fetched
        before = self.steered
        # Written down before it is tried: an agent that dies of it must know at its next start.
        await asyncio.to_thread(self._keep, before.trying(revision, settings))
        try:
            await self.apply(settings)
        except PortgaugeError as error:
            await asyncio.to_thread(self._keep, before.refusing(revision, str(error)))
            told = fields(revision=revision, why=str(error))
            log.error("the fleet's configuration is not applied, the old one holds", extra=told)  # noqa: TRY400 - foreseen
            return
        self._from = self._counts()
        log.info("the fleet's configuration is tried", extra=fields(revision=revision))

    async def _fetch(self) -> tuple[int, Mapping[str, Any]] | None:
        """(revision, settings); None where it is as it was."""
        async with line(self.route(), Pushes()) as once:
            reply = await once.ask("GET", "/v1/config", self.read_token(), etag=self._etag)
        if reply.status == HTTPStatus.NOT_MODIFIED:
            return None
        if reply.status != HTTPStatus.OK:
            raise NotFetched(f"the collector answered {reply.status}")
        try:
            document = json.loads(reply.body)
            revision, settings = document["revision"], document["settings"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotFetched("the answer is not a configuration") from None
        if type(revision) is not int or not isinstance(settings, dict):
            raise NotFetched("the answer is not a configuration")
        self._etag = reply.etag
        return revision, settings

    def _counts(self) -> tuple[int, int]:
        failed = self.samplings.failed
        return self.samplings.samples.total() - failed, failed

    def _keep(self, steered: Steered) -> None:
        self.samplings.steered = steered
        if steered == UNSTEERED and not self.file.exists():
            return
        beside = self.file.with_suffix(".new")
        try:
            with beside.open("w") as file:
                file.write(as_text(steered))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.file)
        except OSError as error:
            log.warning("the fleet's configuration is not remembered", extra=fields(why=error.strerror))

    def _tell_undone(self, revision: int, why: str = "") -> None:
        told = fields(revision=revision, back_to=self.steered.good, why=why or self.steered.why)
        log.error("the fleet's configuration is undone, the last good one is in force", extra=told)


@asynccontextmanager
async def following(steering: Steering) -> AsyncIterator[None]:
    """Follow for as long as the block is open."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(steering.follow_forever(), name="following")
        try:
            yield
        finally:
            task.cancel()


def _read(file: Path) -> Steered:
    try:
        return from_text(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return UNSTEERED

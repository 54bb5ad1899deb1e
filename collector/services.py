"""What handlers work with. One value, made once by collector.run (or by a test), reached through SERVICES."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from collector.access.sessions import Sessions
from collector.alerts.board import ChannelsFor, only_the_log
from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.config import METRICS_POOLS
from collector.history.tiers import Keep, Reach
from collector.ingest.admission import Admission
from collector.ingest.intake import Intake
from collector.metrics import Metrics
from collector.rollout.releases import Releases
from collector.storage.database import Database
from shared.clock import wall_ms

if TYPE_CHECKING:
    from collector.fleet.looks import Looks


def _looks() -> "Looks":
    from collector.fleet.looks import Looks  # noqa: PLC0415 - commands come by here, and need no numpy

    return Looks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The running parts of one collector."""

    db: Database
    intake: Intake
    metrics: Metrics
    admission: Admission = field(default_factory=Admission)
    sessions: Sessions = field(default_factory=Sessions)
    looks: "Looks" = field(default_factory=_looks)
    keep: Keep = field(default_factory=Keep)
    releases: Releases = field(default_factory=Releases)
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one replay that is under way."""
    rules: Sequence[Rule] = BUILT_IN
    """What the configuration says is to be watched."""
    channels: Sequence[str] = ()
    """Names of the channels that are configured, the log aside."""
    channels_for: ChannelsFor = only_the_log
    """Who is told of what."""
    metrics_pools: int = METRICS_POOLS
    """How many pools /metrics tells one by one."""
    is_local: bool = False
    """Whether nobody beyond this machine can ask."""
    clock: Callable[[], int] = wall_ms
    """Milliseconds since the Unix epoch."""

    def reach(self) -> Reach:
        """How far back history goes now."""
        return Reach(self.clock(), self.keep)


SERVICES = web.AppKey("services", Services)

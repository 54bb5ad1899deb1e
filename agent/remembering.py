"""Looking now and then which ports are in use on this host, for as long as the agent runs, and remembering them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from agent import sysctl
from agent.bound_memory import BoundMemory
from agent.config import AgentConfig
from agent.errors import SamplingFailed
from agent.in_use import ports_in_use
from agent.netlink.errors import DumpError
from agent.netlink.opening import open_sockets
from agent.netns import Atlas, is_meant, travelling
from agent.tallies import Samplings
from shared import clock
from shared.errors import PortgaugeError
from shared.logs import fields
from shared.model import Claims
from shared.wire.claims import claims_on

log = logging.getLogger(__name__)

EVERY_S = 600.0
"""A look walks the tables of each namespace, at a dump's cost or less."""


MOST_STRETCHES = 4_096
"""Of claims that a host tells over all its namespaces, in order of their names: 16 KiB of each snapshot."""


class Here(NamedTuple):
    """What one namespace says now: ports in use with their use, and those it reserves."""

    in_use: dict[int, str]
    reserved: frozenset[int]


class Looked(NamedTuple):
    """What a look came to: how many ports were written, and each namespace's claims as far as they can be told."""

    written: int
    claims: dict[str, Claims]


@asynccontextmanager
async def remembering(config: Callable[[], AgentConfig], samplings: Samplings) -> AsyncIterator[None]:
    """Look at once, and then every EVERY_S, at the namespaces that `config` gives then, while the block is open.

    Snapshots tell what is in `samplings.claims` since. What cannot be remembered is said in the log; advice is then
    given without it, and what was claimed is no longer told.
    """
    atlas = Atlas()

    async def forever() -> None:
        while True:
            try:
                looked = await asyncio.to_thread(remember, atlas, config())
                samplings.claims = looked.claims
                log.debug("ports in use are remembered", extra=fields(written=looked.written))
            except PortgaugeError as error:
                samplings.claims = {}
                log.warning("ports in use are not remembered", extra=fields(why=str(error)))
            await asyncio.sleep(EVERY_S)

    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(forever(), name="remembering")
        try:
            yield
        finally:
            loop.cancel()


def remember(atlas: Atlas, config: AgentConfig) -> Looked:
    """Look once. Raises MemoryUnusable."""
    seen = travelling(_in_use, atlas, config)
    now_ms = clock.wall_ms()
    with BoundMemory(config.spool_dir, may_write=True) as memory:
        written = memory.note({netns: here.in_use for netns, here in seen.items()}, now_ms)
        return Looked(written, _claims(memory, seen, now_ms))


def _claims(memory: BoundMemory, seen: Mapping[str, Here], now_ms: int) -> dict[str, Claims]:
    told: dict[str, Claims] = {}
    left = MOST_STRETCHES
    for netns in sorted(seen):
        remembered = memory.seen(netns)
        since_ms = min((one.first_ms for one in remembered.values()), default=now_ms)
        claims = claims_on(remembered.keys() | seen[netns].reserved, max(0, since_ms))
        if claims and len(claims.stretches) <= left:
            told[netns] = claims
            left -= len(claims.stretches)
    return told


def _in_use(atlas: Atlas, config: AgentConfig) -> dict[str, Here]:
    """Ports in use by namespace; one that cannot be read is passed over."""
    found: dict[str, Here] = {}
    for number, place in enumerate(atlas.tour(clock.monotonic_s())):
        if is_meant(place, config.netns, is_own=number == 0):
            try:
                settings = sysctl.read_port_settings()
                with open_sockets() as diag:
                    found[place.name] = Here(ports_in_use(diag, settings.port_range), settings.reserved)
            except (DumpError, SamplingFailed) as error:
                log.debug("ports in use are not seen", extra=fields(netns=place.name, why=str(error)))
    return found

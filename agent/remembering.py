"""Looking now and then which ports are in use on this host, for as long as the agent runs, and remembering them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agent import sysctl
from agent.bound_memory import BoundMemory
from agent.config import AgentConfig
from agent.errors import SamplingFailed
from agent.in_use import ports_in_use
from agent.netlink.errors import DumpError
from agent.netlink.opening import open_sockets
from agent.netns import Atlas, is_meant, travelling
from shared import clock
from shared.errors import PortgaugeError
from shared.logs import fields

log = logging.getLogger(__name__)

EVERY_S = 600.0
"""A look walks the tables of each namespace, at a dump's cost or less."""


@asynccontextmanager
async def remembering(config: Callable[[], AgentConfig]) -> AsyncIterator[None]:
    """Look at once, and then every EVERY_S, at the namespaces that `config` gives then, while the block is open.

    What cannot be remembered is said in the log; advice is then given without it.
    """
    atlas = Atlas()

    async def forever() -> None:
        while True:
            try:
                written = await asyncio.to_thread(remember, atlas, config())
                log.debug("ports in use are remembered", extra=fields(written=written))
            except PortgaugeError as error:
                log.warning("ports in use are not remembered", extra=fields(why=str(error)))
            await asyncio.sleep(EVERY_S)

    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(forever(), name="remembering")
        try:
            yield
        finally:
            loop.cancel()


def remember(atlas: Atlas, config: AgentConfig) -> int:
    """Look once; answers how many ports were written. Raises MemoryUnusable."""
    in_use = travelling(_in_use, atlas, config)
    with BoundMemory(config.spool_dir, may_write=True) as memory:
        return memory.note(in_use, clock.wall_ms())


def _in_use(atlas: Atlas, config: AgentConfig) -> dict[str, dict[int, str]]:
    """Ports in use by namespace; one that cannot be read is passed over."""
    found: dict[str, dict[int, str]] = {}
    for number, place in enumerate(atlas.tour(clock.monotonic_s())):
        if is_meant(place, config.netns, is_own=number == 0):
            try:
                with open_sockets() as diag:
                    found[place.name] = ports_in_use(diag, sysctl.read_port_settings().port_range)
            except (DumpError, SamplingFailed) as error:
                log.debug("ports in use are not seen", extra=fields(netns=place.name, why=str(error)))
    return found

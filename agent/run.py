"""The life of `portgauge-agent run`: sample, spool, push, until told to stop."""

import asyncio
import logging
import signal
from contextlib import suppress

from agent.config import AgentConfig
from agent.identity import kernel_boot_id
from agent.push import Pusher, pushing, token_reader
from agent.reporting import sampling
from agent.spool import Spool
from agent.tallies import Samplings
from agent.watching import watching
from shared.logs import fields

log = logging.getLogger(__name__)

FAREWELL_S = 1.0
"""How long a stopping agent gives its last snapshot to arrive; what does not is in the spool."""


async def run(config: AgentConfig) -> None:
    """Run until SIGTERM or SIGINT. Raises TokenUnreadable or SpoolUnusable at start, never later for their sake."""
    read_token = token_reader(config.token_file)
    read_token()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Spool(
        config.spool_dir,
        boot_id=kernel_boot_id(),
        max_bytes=config.spool_max_bytes,
        max_age_ms=round(config.spool_max_age_s * 1000),
    ) as spool:
        pusher = Pusher(spool, f"{config.collector.rstrip('/')}/v1/snapshots", read_token)
        log.info("started", extra=fields(host=config.host, collector=config.collector, interval_s=config.interval_s))
        async with pushing(pusher), watching() as ledger, sampling(config, spool, pusher.wake, ledger, Samplings()):
            await stop.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await pusher.idle.wait()
    log.info("stopped", extra=fields(host=config.host))

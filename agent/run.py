"""The life of `portgauge-agent run`: sample, spool, push, until told to stop; begin anew what a reload changes."""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from agent import systemd
from agent.blocks import Block, Blocks
from agent.config import AgentConfig
from agent.dozing import Sentry, sentry
from agent.enrolment import Enrolment
from agent.exposition import text_of
from agent.failures import Ledger
from agent.footprint import footprint
from agent.health import trouble
from agent.identity import kernel_boot_id
from agent.metrics import Facts, families
from agent.place import parse_place
from agent.push import Pusher, pushing, require_usable, route_of, token_reader
from agent.reload import Local, Part, Plan, overlaid, plan
from agent.remembering import remembering
from agent.reporting import Reporter, sampling
from agent.spool import Spool
from agent.steering import FILE, Steering, following
from agent.supervised import supervised
from agent.systemd import Notifier
from agent.tallies import Pushes, Samplings
from agent.version import agent_version
from agent.watching import watching
from shared import clock, logs
from shared.errors import PortgaugeError
from shared.logs import fields

log = logging.getLogger(__name__)

LAST_SAMPLE_S = 0.9
"""How long a stopping agent waits for its last sample."""
FAREWELL_S = 0.7
"""How long it then gives what is spooled to arrive; what does not is sent at the next start."""
LAST_RESORT_S = 1.8
"""A disk or kernel call that hangs must not keep the agent from ending: what is spooled is safe without a farewell."""
REPEATS_S = 60.0
"""What the log said is not said again for so long, only counted."""
LATE = 1
"""Exit status of an agent that had to be cut short."""


def log_as_told(config: AgentConfig) -> None:
    """Have the process's log as the configuration wants it."""
    logs.configure(level=config.log_level, as_json=config.log_json, repeats_s=REPEATS_S)


class Order(Enum):
    """What a signal asks for."""

    STOP = auto()
    RELOAD = auto()


async def run(local: Local, load: Callable[[], Local]) -> None:
    """Run until SIGTERM or SIGINT; on SIGHUP use what `load` gives, unless it raises.

    Raises TokenUnreadable, TlsUnusable or SpoolUnusable at start, never later for their sake.
    """
    config = local.config
    require_usable(config)
    orders = _orders()
    with Spool(
        config.spool_dir,
        boot_id=kernel_boot_id(),
        max_bytes=config.spool_max_bytes,
        max_age_ms=round(config.spool_max_age_s * 1000),
    ) as spool:
        log.info("started", extra=fields(host=config.host, collector=config.collector, interval_s=config.interval_s))
        async with sentry() as on_guard, asyncio.TaskGroup() as tasks, watching(on_guard) as ledger:
            agent = Agent(config, local, spool, ledger, on_guard, Blocks(tasks))
            async with supervised(agent.notifier, agent.samplings, lambda: spool.state().snapshots):
                await agent.begin()
                while await orders.get() is Order.RELOAD:
                    await agent.reload(load)
                await agent.end()
    log.info("stopped", extra=fields(host=config.host))


@dataclass(slots=True)
class Agent:
    """What runs while the spool is open: sampling, pushing and remembering, each a block of its own."""

    config: AgentConfig
    """In force: the host's own with the fleet's under it."""
    local: Local
    spool: Spool
    ledger: Ledger
    sentry: Sentry
    blocks: Blocks
    notifier: Notifier = field(default_factory=systemd.from_environment)
    samplings: Samplings = field(default_factory=Samplings)
    pushes: Pushes = field(default_factory=Pushes)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _another_revision: asyncio.Event = field(default_factory=asyncio.Event)
    _pusher: Pusher = field(init=False)
    _pushing: Block[None] = field(init=False)
    _sampling: Block[Callable[[], Awaitable[None]]] = field(init=False)
    _remembering: Block[None] = field(init=False)
    _listening: Block[None] | None = None
    _steering: Steering = field(init=False)
    _following: Block[None] = field(init=False)
    _one_change: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Open all. Raises CannotListen."""
        self._steering = self._new_steering()
        self._use_what_was_in_force()
        listening = _listener(self.config)
        await self._begin_pushing()
        await self._begin_sampling()
        self._remembering = await self.blocks.begin(remembering(lambda: self.config, self.samplings), "remembering")
        await self._begin_listening(listening)
        self._following = await self.blocks.begin(following(self._steering), "following")

    async def end(self) -> None:
        """Take, spool and, if the collector answers, send a last sample; then close all."""
        self.notifier.tell(systemd.STOPPING, systemd.status("taking a last sample"))
        await self._following.end()
        try:
            async with asyncio.timeout(LAST_SAMPLE_S):
                await self._sampling.made()
        except TimeoutError:
            log.warning("no last sample: it would take too long")
        await self._sampling.end()
        await self._remembering.end()
        self._pusher.idle.clear()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._pusher.idle.wait()
        await self._pushing.end()
        await self._end_listening()

    async def reload(self, load: Callable[[], Local]) -> None:
        """Go on with the configuration that `load` gives; with the old one where that one cannot be used."""
        self.notifier.tell(*systemd.reloading(), systemd.status("reloading the configuration"))
        try:
            local = load()
            wanted = plan(self.config, overlaid(local, self._steering.steered.settings))
            require_usable(wanted.config)
            listening = _listener(wanted.config) if "listen" in wanted.changed else None
        except PortgaugeError as error:
            log.error("the configuration is not reloaded, the old one holds", extra=fields(why=str(error)))  # noqa: TRY400 - foreseen: no traceback
            outcome = f"not reloaded, the old configuration holds: {error}"
        else:
            outcome, self.local = "reloaded", local
            await self._apply(wanted)
            if "listen" in wanted.changed:
                await self._end_listening()
                await self._begin_listening(listening)
        self.notifier.tell(systemd.READY, systemd.status(outcome))

    def _new_steering(self) -> Steering:
        return Steering(
            self.config.spool_dir / FILE,
            self.samplings,
            self.pushes,
            self._apply_of_the_fleet,
            lambda: route_of(self.config),
            self._read_token,
            self._another_revision,
        )

    def _read_token(self) -> str:
        return token_reader(self.config.token_file)()

    def _use_what_was_in_force(self) -> None:
        """After a start: before a word from the collector, and without one."""
        steered = self._steering.recall()
        try:
            self.config = overlaid(self.local, steered.settings)
        except PortgaugeError as error:
            self._steering.give_up(str(error))
            log.error("the fleet's configuration does not fit the host's own any more", extra=fields(why=str(error)))  # noqa: TRY400 - foreseen: no traceback

    async def _apply_of_the_fleet(self, settings: Mapping[str, Any]) -> None:
        """Raises SettingsError or InvalidConfig; then nothing has changed."""
        await self._apply(plan(self.config, overlaid(self.local, settings)))

    async def _apply(self, wanted: Plan) -> None:
        async with self._one_change:
            await self._begin_anew(wanted)

    async def _begin_anew(self, wanted: Plan) -> None:
        self.config = wanted.config
        if Part.LOGGING in wanted.parts:
            log_as_told(wanted.config)
        if Part.PUSHING in wanted.parts:
            await self._pushing.end()
            await self._begin_pushing()
        if Part.SAMPLING in wanted.parts:
            await self._sampling.end()
            await self._begin_sampling()
        for key in wanted.need_restart:
            log.warning("a changed key takes effect at the next start only", extra=fields(key=key))
        log.info("the configuration is reloaded", extra=fields(changed=",".join(wanted.changed) or "nothing"))

    async def _begin_pushing(self) -> None:
        config = self.config
        route, read_token = route_of(config), token_reader(config.token_file)
        own = Enrolment(route, config.token_file, config.join_token_file, config.host, config.role)
        self._pusher = Pusher(
            self.spool,
            route,
            read_token,
            wake=self._wake,
            pushes=self.pushes,
            another_revision=self._another_revision,
            ensure_token=own.ensure,
            renew_token=own.renew,
        )
        self._pushing = await self.blocks.begin(pushing(self._pusher), "pushing")

    async def _begin_sampling(self) -> None:
        reporter = Reporter(self.config, self.spool, self.ledger, self.samplings)
        block = sampling(reporter, self._wake, self.sentry)
        self._sampling = await self.blocks.begin(block, "sampling")

    async def _begin_listening(self, listening: socket.socket | None) -> None:
        if listening is None:
            return
        from agent.listening import answering  # noqa: PLC0415 - an HTTP server takes 2 MB; most agents serve nothing

        self._listening = await self.blocks.begin(answering(listening, self._metrics, self._trouble), "listening")
        log.info("answering /metrics and /healthz", extra=fields(listen=self.config.listen))

    async def _end_listening(self) -> None:
        if self._listening:
            await self._listening.end()
        self._listening = None

    async def _metrics(self) -> str:
        spool = await asyncio.to_thread(self.spool.state)
        return text_of(
            families(
                Facts(
                    version=agent_version(),
                    interval_s=self.config.interval_s,
                    now_s=clock.monotonic_s(),
                    now_ms=clock.wall_ms(),
                    samplings=self.samplings,
                    pushes=self.pushes,
                    spool=spool,
                    footprint=footprint(),
                )
            )
        )

    def _trouble(self) -> str:
        return trouble(self.samplings, clock.monotonic_s(), self.config.interval_s)


def _listener(config: AgentConfig) -> socket.socket | None:
    place = parse_place(config.listen)
    if place is None:
        return None
    from agent.listening import listener  # noqa: PLC0415 - see _begin_listening

    return listener(place)


def _orders() -> "asyncio.Queue[Order]":
    """Signals as orders. After the first SIGTERM or SIGINT the next one ends the process at once."""
    loop, orders = asyncio.get_running_loop(), asyncio.Queue[Order]()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        last_resort = threading.Timer(LAST_RESORT_S, os._exit, [LATE])
        last_resort.daemon = True
        last_resort.start()
        orders.put_nowait(Order.STOP)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, orders.put_nowait, Order.RELOAD)
    return orders

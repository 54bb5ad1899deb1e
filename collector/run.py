"""The life of a collector: open what it needs, run until told to stop, close it in reverse."""

import asyncio
import errno
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

from aiohttp import ClientSession, web

from collector.compaction import REST_S as HISTORY_REST_S
from collector.compaction import Compaction
from collector.config import Config, parse_listen, parse_time
from collector.digests import REST_S as DIGEST_REST_S
from collector.digests import Digests
from collector.evaluation import Evaluator
from collector.forecast.foresight import Foresight
from collector.http import DESK, AccessLogger, build_app, explaining
from collector.ingest.front import Front
from collector.ingest.intake import Intake
from collector.investigation import Investigation
from collector.leading import lead_forever
from collector.loops import Bell, Loops, background, repeat_forever
from collector.metrics import Metrics
from collector.notify.alertmanager import RESEND_S, AlertmanagerChannel, Resend
from collector.notify.channel import Channel
from collector.notify.delivery import Delivery
from collector.notify.heartbeat import Heartbeat
from collector.notify.opening import digest_takers, open_channels, routes
from collector.recollection import Recollection
from collector.retention import REST_S, Retention
from collector.rollout.releases import REST_S as RELEASES_REST_S
from collector.rollout.releases import Releases
from collector.rollout.steward import REST_S as ROLLOUT_REST_S
from collector.rollout.steward import Steward
from collector.services import Services
from collector.storage import outbox
from collector.storage.database import Database, database
from collector.storage.errors import NeedsPostgreSQL
from collector.storage.location import Location
from collector.storage.schema import require_current, require_present, require_writable
from collector.tls import ServerTls, TlsUnusable, server_tls
from shared.clock import wall_ms
from shared.errors import PortgaugeError
from shared.logs import fields

TICK_S = 1.0
"""How late a silence, or a notice whose retry is due, may be noticed."""
EVALUATION_PACE_S = 0.25
"""A round costs milliseconds however little it judges; nobody is told later for it than this."""
GRACE_S = 1.0
"""How long requests that are under way may take to end when the collector stops."""
BACKLOG = 1_024
"""A fleet that comes back at once must not be refused by the kernel."""
GARBAGE_AFTER = (50_000, 20, 20)
"""A push is a hundred objects, none of them in a cycle: Python would look for some after every seven pushes."""
log = logging.getLogger(__name__)


class CannotListen(PortgaugeError):
    """The address cannot be served."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        hint = {
            errno.EADDRINUSE: "is in use; stop what holds it, or choose another with --listen",
            errno.EACCES: "needs privilege; choose a port above 1023 with --listen",
            errno.EADDRNOTAVAIL: "is not an address of this machine; choose another with --listen",
        }.get(error.errno or 0, f"cannot be listened on ({error.strerror or error})")
        super().__init__(f"{shown(host, port)} {hint}")


def collect_garbage_seldom() -> None:
    """For a process that serves: what is loaded by now stays, and cycles among the rest are rare."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)


async def run(config: Config, location: Location, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is given the address once connections are accepted."""
    stop, tls = _stop_signal(), server_tls(config.tls_cert, config.tls_key, config.tls_client_ca)
    with listening(config.listen) as listener:
        async with _opened(location, config.role) as db, _channels(config, db) as channels:
            is_local = ip_address(listener.getsockname()[0]).is_loopback
            app, loops = _assemble(config, db, channels, is_local=is_local)
            async with background(loops), serving(app, listener, tls) as address:
                _read_again_on_hangup(tls)
                announce(address)
                await stop.wait()


@asynccontextmanager
async def _opened(location: Location, role: str) -> AsyncIterator[Database]:
    """The database, once it is sure that this program may serve it."""
    if location.file and role != "all":
        raise NeedsPostgreSQL(str(location), role)
    require_present(location)
    async with database(location, alone=True) as db:
        await require_current(db)
        await require_writable(db)
        yield db


def _assemble(
    config: Config, db: Database, channels: Sequence[Channel], *, is_local: bool
) -> tuple[web.Application, Loops]:
    """The application, and the loops that work behind it."""
    metrics, evaluate = Metrics(version("portgauge")), Bell()
    intake = Intake(db, metrics, on_commit=evaluate.ring)
    releases, loops = Releases(), Loops()
    if config.role != "leader":
        loops["intake"] = intake.commit_forever()
        refresh = lambda: releases.refresh(db)  # noqa: E731 - what the loop does
        loops["releases"] = repeat_forever(refresh, Bell(), rest_s=RELEASES_REST_S, name="releases")
    if config.role != "ingest":
        loops["leading"] = lead_forever(db, lambda led: _leading(config, led, channels, metrics, evaluate))
    app = build_app(
        Services(
            db=db,
            intake=intake,
            metrics=metrics,
            keep=config.keep,
            rules=config.rule,
            channels=[channel.name for channel in config.channel],
            channels_for=routes(config.channel),
            releases=releases,
            metrics_pools=config.metrics_pools,
            is_local=is_local,
        ),
        takes_snapshots=config.role != "leader",
    )
    return app, loops


def _leading(config: Config, db: Database, channels: Sequence[Channel], metrics: Metrics, evaluate: Bell) -> Loops:
    """What one collector of all does, over a database that lets only the leader write."""
    prune, deliver, foresight = Bell(), [Bell() for _ in channels], Foresight()
    evaluator = Evaluator(
        db=db,
        rules=config.rule,
        channels=[channel.name for channel in channels],
        channels_for=routes(config.channel),
        metrics=metrics,
        clock=wall_ms,
        on_notice=lambda: _ring(deliver),
        foresee=foresight,
        note=foresight.note,
        investigate=Investigation(config.public_url),
    )
    recollection = Recollection(db, foresight, config.keep, clock=wall_ms)
    retention = Retention(db, config.keep, clock=wall_ms)
    compaction = Compaction(db=db, keep_raw_ms=config.keep.raw_ms, metrics=metrics, clock=wall_ms)
    loops: Loops = {
        "strangers": _give_up_on_strangers(db, channels),
        "evaluation": repeat_forever(
            recollection.after(evaluator.evaluate),
            evaluate,
            rest_s=TICK_S,
            name="evaluation",
            pace_s=EVALUATION_PACE_S,
        ),
        "history": repeat_forever(compaction.compact, Bell(), rest_s=HISTORY_REST_S, name="history"),
        "rollout": repeat_forever(Steward(db, clock=wall_ms).look, Bell(), rest_s=ROLLOUT_REST_S, name="rollout"),
        "digests": repeat_forever(_digests(config, db, deliver).look, Bell(), rest_s=DIGEST_REST_S, name="digests"),
        "retention": repeat_forever(retention.prune, prune, rest_s=REST_S, name="retention"),
    }
    for channel, bell in zip(channels, deliver, strict=True):
        name, delivery = f"notify {channel.name}", Delivery(db, channel, metrics, clock=wall_ms)
        loops[name] = repeat_forever(delivery.deliver, bell, rest_s=TICK_S, name=name)
    return loops | _repeating(config, channels, evaluator)


def _digests(config: Config, db: Database, deliver: Sequence[Bell]) -> Digests:
    return Digests(
        db,
        digest_takers(config.channel),
        at_minute=parse_time(config.digest_at),
        public_url=config.public_url,
        clock=wall_ms,
        on_notice=lambda: _ring(deliver),
    )


def _repeating(config: Config, channels: Sequence[Channel], evaluator: Evaluator) -> Loops:
    """What is said again and again: heartbeats, and what fires to those who want it repeated."""
    loops: Loops = {}
    beats = {one.name: one.heartbeat_s for one in config.channel}
    for channel in channels:
        if isinstance(channel, AlertmanagerChannel):
            name = f"resend {channel.name}"
            loops[name] = repeat_forever(Resend(channel).resend, Bell(), rest_s=RESEND_S, name=name)
        elif beats.get(channel.name):
            name = f"heartbeat {channel.name}"
            heart = Heartbeat(channel, clock=wall_ms, evaluated_ms=lambda: evaluator.evaluated_ms)
            loops[name] = repeat_forever(heart.beat, Bell(), rest_s=beats[channel.name], name=name)
    return loops


@contextmanager
def listening(listen: str) -> Iterator[socket.socket]:
    """Hold the address, before anything else is begun. Raises CannotListen."""
    host, port = parse_listen(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(host, port, error) from None
    with listener:
        yield listener


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket, tls: ServerTls | None = None) -> AsyncIterator[str]:
    """Answer requests for as long as the block is open, at the address it is given."""
    # Bodies are inflated by ingest.body: aiohttp would answer an encoding it does not know itself, as a bare 400.
    runner = web.AppRunner(app, access_log_class=AccessLogger, shutdown_timeout=GRACE_S, auto_decompress=False)
    await runner.setup()
    connections, context = _connections(app, runner), tls.context if tls else None
    server = await asyncio.get_running_loop().create_server(connections, sock=listener, ssl=context, backlog=BACKLOG)
    try:
        host, port, *_ = listener.getsockname()
        if not tls:
            _warn_if_exposed(host)
        yield f"http{'s' if tls else ''}://{shown(host, port)}"
    finally:
        server.close()
        if DESK in app:
            await app[DESK].close(GRACE_S)
        await runner.cleanup()


def _connections(app: web.Application, runner: web.AppRunner) -> Callable[[], asyncio.Protocol]:
    """What meets each connection: the front where snapshots are taken, else aiohttp at once."""
    assert runner.server  # noqa: S101 - it was set up
    handlers = explaining(runner.server)
    return (lambda: Front(app[DESK], handlers)) if DESK in app else handlers


def shown(host: str, port: int) -> str:
    """`127.0.0.1:8766`, `[::1]:8766`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@asynccontextmanager
async def _channels(config: Config, db: Database) -> AsyncIterator[list[Channel]]:
    async def documents(channel: str, ended_since_ms: int) -> Sequence[Mapping[str, Any]]:
        async with db.reading() as connection:
            return await outbox.newest_of_incidents(connection, channel, ended_since_ms)

    async with ClientSession() as session:
        yield open_channels(config.channel, session, wall_ms, documents)


async def _give_up_on_strangers(db: Database, channels: Sequence[Channel]) -> None:
    async with db.writing() as connection:
        count = await outbox.give_up_on_strangers(connection, [channel.name for channel in channels], wall_ms())
    if count:
        log.warning("notices given up: their channels are no longer configured", extra=fields(count=count))


def _ring(bells: Sequence[Bell]) -> None:
    for bell in bells:
        bell.ring()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _read_again_on_hangup(tls: ServerTls | None) -> None:
    """On SIGHUP certificates are read anew; connections that are held go on. Without TLS there is nothing to read."""

    def reread() -> None:
        assert tls is not None  # noqa: S101 - no handler without it
        try:
            tls.read_again()
        except TlsUnusable as error:
            log.error("certificates are not read again, the old ones hold", extra=fields(why=error))  # noqa: TRY400 - foreseen
        else:
            log.info("certificates are read again", extra=fields(tls_cert=tls.cert))

    if tls is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reread)


def _warn_if_exposed(address: str) -> None:
    if not ip_address(address).is_loopback:
        log.warning(
            "tokens travel in clear text beyond this machine; set tls_cert, or put TLS in front",
            extra=fields(listen=address),
        )

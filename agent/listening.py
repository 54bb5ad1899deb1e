"""Answering on this host: /metrics and /healthz, over a unix socket or a port. Loaded only where it is asked for."""

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from agent.exposition import CONTENT_TYPE
from agent.place import TcpPlace, UnixPlace
from shared.errors import PortgaugeError

SOCKET_MODE = 0o660
"""Who shares the agent's group may ask; nobody else."""
GRACE_S = 0.1
_HINTS = {
    errno.EADDRINUSE: "is in use; choose another",
    errno.EADDRNOTAVAIL: "is not an address of this host; choose another",
    errno.EACCES: "is not allowed to the agent's user; choose another",
}


class CannotListen(PortgaugeError):
    """The place cannot be had."""

    def __init__(self, place: UnixPlace | TcpPlace, error: OSError) -> None:
        hint = _HINTS.get(error.errno or 0, f"cannot be listened on: {error.strerror or error}")
        super().__init__(f"listen: {place} {hint}")
        self.place = place


def listener(place: UnixPlace | TcpPlace) -> socket.socket:
    """Take the place. Raises CannotListen."""
    try:
        if isinstance(place, UnixPlace):
            return _unix_listener(place.path)
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise CannotListen(place, error) from None


def _unix_listener(path: str) -> socket.socket:
    """A socket that an agent left behind when it was killed is taken away; one that answers is not."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).is_socket() and not _answers(path):
            Path(path).unlink(missing_ok=True)
        made.bind(path)
        Path(path).chmod(SOCKET_MODE)
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(path)
        except ConnectionRefusedError:
            return False
    return True


@asynccontextmanager
async def answering(
    listening: socket.socket, metrics: Callable[[], Awaitable[str]], trouble: Callable[[], str]
) -> AsyncIterator[None]:
    """Answer for as long as the block is open. `metrics` gives the exposition, `trouble` why we are not healthy."""

    async def get_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=(await metrics()).encode(), headers={"Content-Type": CONTENT_TYPE})

    async def get_healthz(_request: web.Request) -> web.Response:
        why = trouble()
        return web.Response(text=f"{why or 'ok'}\n", status=503 if why else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", get_metrics), web.get("/healthz", get_healthz)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        _forget(listening)
        await runner.cleanup()


def _forget(listening: socket.socket) -> None:
    """Leave no name behind that nobody answers to."""
    if listening.family == socket.AF_UNIX:
        Path(listening.getsockname()).unlink(missing_ok=True)

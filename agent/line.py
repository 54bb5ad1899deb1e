"""The one connection to the collector: opened when first needed, then held. The edge to HTTP."""

import asyncio
import gzip
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from agent.delivery import PATIENCE_S, patience_s
from agent.dialing import NO_PORT, Dialer
from agent.lean import aiohttp
from agent.tallies import Pushes
from agent.tls import ClientTls, TlsFiles
from shared.errors import PortgaugeError
from shared.wire import CONTENT_TYPE

IDLE_CONNECTION_S = 24 * 3_600.0
"""Longer than any interval: the agent must not need a new port of a host that has none left."""
MOST_OF_AN_ANSWER = 65_536
FROM_WHICH_GZIP_PAYS = 1_400
"""Less fits into one packet as it is."""


class Unreachable(PortgaugeError):
    """No answer came. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the collector is, and how to come to it."""

    base: str
    """Its URL, without a path."""
    source_ports: tuple[int, ...] = ()
    """Local ports for the connection, outside what the kernel lends."""
    tls: TlsFiles = field(default_factory=TlsFiles)
    proxy_from_env: bool = False
    gzip: bool = False

    @property
    def url(self) -> str:
        """Where snapshots go."""
        return f"{self.base.rstrip('/')}/v1/snapshots"


class Reply(NamedTuple):
    """An answer."""

    status: int
    retry_after: str | None
    body: bytes
    etag: str = ""


@dataclass(slots=True)
class Line:
    """Requests over it, one at a time."""

    route: Route
    _session: aiohttp.ClientSession
    _dialer: Dialer
    _tls: ClientTls | None

    async def post(self, body: bytes, token: str) -> Reply:
        """Send a snapshot. Raises Unreachable."""
        headers = {"Content-Type": CONTENT_TYPE, "Authorization": f"Bearer {token}"}
        if self.route.gzip and len(body) >= FROM_WHICH_GZIP_PAYS:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return await self._ask("POST", self.route.url, patience_s(len(body)), data=body, headers=headers)

    async def ask(self, method: str, path: str, token: str, body: bytes | None = None, etag: str = "") -> Reply:
        """Any other request. Raises Unreachable."""
        told = {"Authorization": f"Bearer {token}"} | ({"If-None-Match": etag} if etag else {})
        told |= {"Content-Type": "application/json"} if body is not None else {}
        return await self._ask(method, f"{self.route.base.rstrip('/')}{path}", PATIENCE_S, data=body, headers=told)

    async def keep_warm(self) -> None:
        """Ask for something small, so that nobody on the way takes the line for dead, or we open it anew."""
        await self._ask("GET", f"{self.route.base.rstrip('/')}/healthz", PATIENCE_S)

    async def _ask(self, method: str, url: str, within_s: float, **options: Any) -> Reply:
        options |= {"allow_redirects": False, "timeout": aiohttp.ClientTimeout(total=within_s)}
        options |= {"ssl": self._tls.context()} if self._tls else {}
        if self.route.proxy_from_env:
            _go_through_proxy(URL(url), options)
        self._dialer.begin()
        while True:
            try:
                async with self._session.request(method, url, **options) as response:
                    body = await response.content.read(MOST_OF_AN_ANSWER)
                    return Reply(
                        response.status, response.headers.get("Retry-After"), body, response.headers.get("ETag", "")
                    )
            except aiohttp.ClientConnectorError as error:
                if not self._dialer.may_try_another(error.os_error):
                    raise Unreachable(self._why(error, within_s)) from error
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise Unreachable(_said(error, within_s)) from error

    def _why(self, error: aiohttp.ClientConnectorError, within_s: float) -> str:
        return self._dialer.why_no_port() if error.os_error.errno in NO_PORT else _said(error, within_s)


@asynccontextmanager
async def line(route: Route, pushes: Pushes) -> AsyncIterator[Line]:
    """A line for as long as the block is open; connections are counted in `pushes`. Raises TlsUnusable."""
    tls = client_tls(route)
    dialer = Dialer(route.source_ports)
    connector = aiohttp.TCPConnector(limit=1, keepalive_timeout=IDLE_CONNECTION_S, socket_factory=dialer.open_socket)
    trace = aiohttp.TraceConfig()

    async def count(*_: object) -> None:
        pushes.connects += 1
        await asyncio.sleep(0)

    trace.on_connection_create_end.append(count)
    no_cookies = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace], cookie_jar=no_cookies) as session:
        yield Line(route, session, dialer, tls)


def client_tls(route: Route) -> ClientTls | None:
    """What https:// needs; None for http://. Raises TlsUnusable."""
    return ClientTls(route.tls) if route.base.lower().startswith("https:") else None


def _go_through_proxy(url: URL, options: dict[str, Any]) -> None:
    """HTTP_PROXY, HTTPS_PROXY and NO_PROXY as the standard library reads them."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.host or "", proxies):
        return
    at = URL(proxy if "://" in proxy else f"http://{proxy}")
    options["proxy"] = at.with_user(None)
    if at.user:
        credentials = b64encode(f"{at.user}:{at.password or ''}".encode()).decode()
        # What is asked of the proxy itself: CONNECT for https://, for http:// the request.
        place = "proxy_headers" if url.scheme == "https" else "headers"
        options[place] = {**options.get(place, {}), "Proxy-Authorization": f"Basic {credentials}"}


def _said(error: Exception, within_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {within_s:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "it closed the connection"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return str(error).partition("\n")[0][:300] or type(error).__name__

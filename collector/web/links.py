"""Addresses of the page's views: they can be kept, sent and opened again. Pure."""

from collections.abc import Mapping
from urllib.parse import urlencode

from collector.api.params import InvalidParameter, Params
from shared.addresses import format_endpoint
from shared.model import Kind, Pool

POOL_KEYS = ("host", "netns", "kind", "local", "peer")


def pool_query(host: str, pool: Pool) -> dict[str, str]:
    """What names a pool in a query."""
    named = {"host": host, "netns": pool.netns, "kind": pool.kind.value, "local": pool.local_ip}
    return named | ({"peer": format_endpoint(pool.peer, pool.peer_port)} if pool.kind is Kind.CONNECT else {})


def pool_link(host: str, pool: Pool) -> str:
    """Where one pool of a host is shown."""
    return f"/pool?{urlencode(pool_query(host, pool))}"


def host_link(host: str) -> str:
    """Where a host is shown."""
    return f"/host?{urlencode({'host': host})}"


def backend_link(endpoint: str) -> str:
    """Where a backend (`IP:PORT`) is shown."""
    return f"/backend?{urlencode({'peer': endpoint})}"


def with_query(path: str, query: Mapping[str, str], **changes: object) -> str:
    """The path with this query, some keys changed; None and empty ones left out."""
    kept = {name: str(value) for name, value in {**query, **changes}.items() if value not in {None, ""}}
    return f"{path}?{urlencode(kept)}" if kept else path


def pool_of(params: Params) -> tuple[str, Pool]:
    """(host, pool) that a query names. Raises InvalidParameter."""
    host = params.required("host", "lb1")
    params.required("local", "10.0.0.1")
    kind = Kind(params.choice("kind", tuple(Kind)) or Kind.CONNECT)
    local = params.address("local") or b""
    if kind is not Kind.CONNECT:
        return host, Pool(params.text("netns") or "", kind, local)
    params.required("peer", "10.0.0.2:8080")
    peer, port = params.endpoint("peer") or (b"", None)
    if port is None:
        raise InvalidParameter("peer", "needs a port, like 10.0.0.2:8080 or [fd00::2]:8080")
    return host, Pool(params.text("netns") or "", kind, local, peer, port)


def safe_path(text: str) -> str:
    """A path of this page to go on to; `/` for whatever might lead elsewhere."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if is_ours else "/"

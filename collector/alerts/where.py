"""Which hosts and pools a rule or a silence is about. Pure."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from shared.model import Kind, Pool
from shared.ports import HIGHEST_PORT
from shared.settings import InvalidValue, nearest

KINDS = tuple(kind.value for kind in Kind)
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host as filters see it."""

    host: str = ""
    role: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Every key given must match one of its values; names and label values are shell patterns (`lb-*`)."""

    host: tuple[str, ...] = ()
    """Shell patterns of hosts' names."""
    role: tuple[str, ...] = ()
    """Shell patterns of roles."""
    labels: dict[str, str] = field(default_factory=dict)
    """Patterns by the label's name."""
    netns: tuple[str, ...] = ()
    """Shell patterns of network namespaces."""
    kind: tuple[str, ...] = ()
    """Of `connect`, `bind`, `udp`."""
    peer: tuple[str, ...] = ()
    """Backends: `10.0.9.21:8080`, `10.0.9.21`, `10.0.9.0/24`, `[fd00::1]:80`, `:8080`."""

    def __post_init__(self) -> None:
        for kind in self.kind:
            if kind not in KINDS:
                raise InvalidValue("kind", f"one of {', '.join(KINDS)} is needed, not {kind!r}{nearest(kind, KINDS)}")
        for peer in self.peer:
            parse_peer(peer)

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return self._names_no_place and not self.names_pools

    @property
    def names_pools(self) -> bool:
        """Whether it asks anything of the pool."""
        return bool(self.netns or self.kind or self.peer)

    @property
    def _names_no_place(self) -> bool:
        return not (self.host or self.role or self.labels)

    def accepts_place(self, place: Place) -> bool:
        """Whether the host is meant."""
        return self._names_no_place or (
            _any(self.host, place.host)
            and _any(self.role, place.role)
            and all(fnmatchcase(place.labels.get(key, ""), pattern) for key, pattern in self.labels.items())
        )

    def accepts_pool(self, pool: Pool) -> bool:
        """Whether the pool is meant, its host aside."""
        return not self.names_pools or (
            (not self.kind or pool.kind.value in self.kind)
            and _any(self.netns, pool.netns)
            and (not self.peer or any(_is_towards(pool, *parse_peer(text)) for text in self.peer))
        )


@functools.lru_cache(maxsize=1024)
def parse_peer(text: str) -> tuple[Network | None, int]:
    """(network or None for any, port or 0 for any). Raises InvalidValue."""
    address, _, port = text.rpartition(":") if _has_port(text) else (text, "", "")
    try:
        network = ip_network(address.strip("[]"), strict=False) if address else None
    except ValueError:
        network = None
        address = "?"
    is_port = not port or (port.isascii() and port.isdigit() and 0 < int(port) <= HIGHEST_PORT)
    if address == "?" or not is_port or not text:
        raise InvalidValue("peer", f"{text!r} is not IP, IP:PORT, NETWORK/BITS or :PORT")
    return network, int(port or 0)


def _has_port(text: str) -> bool:
    return text.count(":") == 1 or "]:" in text


def _is_towards(pool: Pool, network: Network | None, port: int) -> bool:
    if port and pool.peer_port != port:
        return False
    if network is None:
        return bool(pool.peer_port)
    return bool(pool.peer) and ip_address(pool.peer) in network


def _any(patterns: Iterable[str], text: str) -> bool:
    patterns = tuple(patterns)
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)

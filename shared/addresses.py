"""IP addresses as packed bytes (4 or 16), and endpoints as people write them. Pure.

A v4-mapped IPv6 address (::ffff:a.b.c.d) shares its tuples with plain IPv4, so it is folded to 4 bytes
wherever an address enters the program (net/ipv6/inet6_hashtables.c looks both up in one table).
"""

import ipaddress
from functools import lru_cache

from shared.errors import PortgaugeError
from shared.ports import HIGHEST_PORT

V4_BYTES = 4
V6_BYTES = 16
V4_MAPPED_PREFIX = bytes(10) + b"\xff\xff"


class InvalidAddress(PortgaugeError):
    """A text is not an IP address, or not an endpoint."""

    def __init__(self, text: str, want: str) -> None:
        super().__init__(f"{text!r} is not {want}")
        self.text = text


def fold(packed: bytes) -> bytes:
    """The address itself, or its last 4 bytes where it is v4-mapped."""
    if len(packed) == V6_BYTES and packed.startswith(V4_MAPPED_PREFIX):
        return packed[12:]
    return packed


@lru_cache(maxsize=65_536)
def format_ip(packed: bytes) -> str:
    """The address as text (RFC 5952); empty bytes, an address that a pool does not have, give `*`."""
    return str(ipaddress.ip_address(packed)) if packed else "*"


@lru_cache(maxsize=65_536)
def is_host_local(packed: bytes) -> bool:
    """Whether each host has an address of this name of its own: loopback, link-local."""
    address = ipaddress.ip_address(packed)
    return address.is_loopback or address.is_link_local


def format_endpoint(packed: bytes, port: int) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`."""
    text = format_ip(packed)
    return f"[{text}]:{port}" if len(packed) == V6_BYTES else f"{text}:{port}"


def parse_ip(text: str) -> bytes:
    """Read an IPv4 or IPv6 address (brackets allowed), folded. Zone indexes (`%eth0`) are refused."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise InvalidAddress(text, "an IP address like 10.0.0.1 or fd00::1") from None
    if "%" in bare:
        raise InvalidAddress(text, "an address without a zone: leave out the %... part")
    return fold(address.packed)


def parse_endpoint(text: str) -> tuple[bytes, int]:
    """Read `10.0.0.1:80` or `[fd00::1]:80` as (folded address, port 1-65535)."""
    want = "an endpoint like 10.0.0.1:8080 or [fd00::1]:8080"
    host, colon, port_text = text.strip().rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise InvalidAddress(text, want)
    if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text) <= HIGHEST_PORT):
        raise InvalidAddress(text, f"{want} (the port is a number from 1 to {HIGHEST_PORT})")
    try:
        return parse_ip(host), int(port_text)
    except InvalidAddress:
        raise InvalidAddress(text, want) from None

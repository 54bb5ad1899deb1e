"""Where the agent may answer: a unix socket or a port, read from the configuration. Pure."""

from dataclasses import dataclass

from shared.addresses import InvalidAddress, parse_ip
from shared.ports import HIGHEST_PORT

UNIX = "unix:"
_LOOPBACK_V4 = 127


@dataclass(frozen=True, slots=True)
class UnixPlace:
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return f"{UNIX}{self.path}"


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """An address and a port; port 0 takes any free one."""

    host: str
    port: int
    is_loopback: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> UnixPlace | TcpPlace | None:
    """Read `unix:/run/portgauge/agent.sock`, `127.0.0.1:9766`, `[::1]:9766` or `localhost:9766`; None for nonsense."""
    if text.startswith(UNIX):
        path = text.removeprefix(UNIX)
        return UnixPlace(path) if path.startswith("/") else None
    host, colon, port = text.rpartition(":")
    is_bare_v6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or is_bare_v6 or not (port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT):
        return None
    try:
        packed = parse_ip("127.0.0.1" if host == "localhost" else host)
    except InvalidAddress:
        return None
    is_loopback = packed[0] == _LOOPBACK_V4 if len(packed) == 4 else packed == parse_ip("::1")  # noqa: PLR2004 - IPv4
    return TcpPlace("127.0.0.1" if host == "localhost" else host.strip("[]"), int(port), is_loopback)

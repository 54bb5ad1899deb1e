"""Ranges and lists of ports, as the kernel writes them under /proc/sys/net/ipv4. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.errors import PortgaugeError

HIGHEST_PORT = 65_535


class InvalidPorts(PortgaugeError):
    """A text or a pair of numbers does not name ports."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} does not name ports: {why}")
        self.text = text


@dataclass(frozen=True, slots=True)
class PortRange:
    """The local ports the kernel may lend, both ends included (ip_local_port_range; kernel: high++ before the scan)."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high <= HIGHEST_PORT:
            raise InvalidPorts(f"{self.low}-{self.high}", f"need 1 <= low <= high <= {HIGHEST_PORT}")

    def __len__(self) -> int:
        return self.high - self.low + 1

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.low <= port <= self.high

    @property
    def ports(self) -> range:
        """Every port of the range."""
        return range(self.low, self.high + 1)

    def __str__(self) -> str:
        return f"{self.low}–{self.high}"


def losing_none(port_range: PortRange) -> PortRange:
    """The range itself, or the nearest one of an even size: of an odd size each connect() leaves out one of its ends.

    A scan visits an even number of ports (`remaining &= ~1` in __inet_hash_connect()); a failed one does not move on.
    """
    low, high = port_range.low, port_range.high
    if len(port_range) % 2 == 0 or len(port_range) == 1:
        return port_range
    return PortRange(low, high + 1) if high < HIGHEST_PORT else PortRange(low + 1, high)


def parse_port_range(text: str) -> PortRange:
    """Read two ports as ip_local_port_range has them (`32768 60999`) or as a person types them (`32768-60999`)."""
    parts = text.replace("-", " ").split()
    if len(parts) != 2 or not all(_is_number(part) for part in parts):  # noqa: PLR2004 - a range has two ends
        raise InvalidPorts(text.strip(), "need two port numbers, LOW-HIGH")
    return PortRange(int(parts[0]), int(parts[1]))


def parse_ports(text: str) -> frozenset[int]:
    """Read a list like ip_local_reserved_ports has it: `8080,9148-9150`, or nothing at all."""
    ports: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if not (_is_number(first) and _is_number(last)):
            raise InvalidPorts(text.strip(), f"{part!r} is neither a port nor a range")
        low, high = int(first), int(last)
        if not 0 <= low <= high <= HIGHEST_PORT:
            raise InvalidPorts(text.strip(), f"{part!r} is not within 0-{HIGHEST_PORT}")
        ports.update(range(low, high + 1))
    return frozenset(ports)


def format_ports(ports: Iterable[int]) -> str:
    """The shortest list naming these ports, in the form `parse_ports` reads: `1883,40000-40015`."""
    pieces: list[str] = []
    first: int | None = None
    last = -1
    for port in sorted(set(ports)):
        if first is None:
            first = port
        elif port != last + 1:
            pieces.append(_piece(first, last))
            first = port
        last = port
    if first is not None:
        pieces.append(_piece(first, last))
    return ",".join(pieces)


def _piece(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class PortSettings:
    """How one network namespace lends its ports."""

    port_range: PortRange
    reserved: frozenset[int] = frozenset()
    """All of ip_local_reserved_ports, inside the range or not."""
    integers: Mapping[str, int] = field(default_factory=dict)
    """The other sysctls by their name under net.ipv4; a missing name means that the kernel has no such setting."""

    @property
    def reserved_in_range(self) -> frozenset[int]:
        """The reserved ports that cost the range something."""
        return frozenset(port for port in self.reserved if port in self.port_range)

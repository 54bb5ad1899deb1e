"""Who asks for a port: the connection to be made, and what is special about the application making it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from shared.model import Kind
from shared.ports import PortRange


class Protocol(StrEnum):
    """What is connected with: the two have separate port spaces and different rules."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How many more connect() from `local` to `peer`:`peer_port` succeed? Addresses are packed and folded."""

    local: bytes
    peer: bytes
    peer_port: int
    protocol: Protocol = Protocol.TCP
    ifindex: int = 0
    """The device the application binds to (SO_BINDTODEVICE), 0 for none."""
    vrf: int = 0
    """The VRF that device is or belongs to, 0 for none: it has bind buckets and connections of its own."""
    own_range: PortRange | None = None
    """The application's IP_LOCAL_PORT_RANGE."""
    bind_first: bool = False
    """The application calls bind(local ip, 0) before connect(), without IP_BIND_ADDRESS_NO_PORT."""

    @property
    def kind(self) -> Kind:
        """Whose rules decide: for UDP and for binders the destination plays no part."""
        if self.protocol is Protocol.UDP:
            return Kind.UDP
        return Kind.BIND if self.bind_first else Kind.CONNECT


def effective_range(netns_range: PortRange, own_range: PortRange | None) -> PortRange:
    """The range a socket draws from: an end of its own counts only inside the namespace's.

    Source: inet_sk_get_local_port_range.
    """
    if own_range is None:
        return netns_range
    low = own_range.low if own_range.low in netns_range else netns_range.low
    high = own_range.high if own_range.high in netns_range else netns_range.high
    return PortRange(low, high)

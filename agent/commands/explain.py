"""`portgauge-agent explain`: one pool, with every step to its number."""

import argparse
import errno
import json
import socket
from typing import NamedTuple

from agent.accounting.derivation import Derivation, pool_of
from agent.accounting.question import Protocol, Question
from agent.commands.arguments import endpoint, ip, port_range
from agent.exact import Accountant
from agent.model import NetnsId
from agent.netlink.opening import open_sockets
from agent.netlink.sock_diag import SockDiag
from agent.netns import OWN, Atlas
from agent.probe import SO_BINDTOIFINDEX
from agent.render import derivation_text
from agent.report import derivation_report
from shared import clock
from shared.addresses import V4_BYTES, format_ip
from shared.errors import PortgaugeError
from shared.model import Kind

IP_BIND_ADDRESS_NO_PORT = 24
"""bind() then takes the address alone, and no port from anybody."""


class MixedFamilies(PortgaugeError):
    """No connection can go from an address of one family to one of the other."""

    def __init__(self, local: bytes, peer: bytes) -> None:
        super().__init__(f"{format_ip(local)} and {format_ip(peer)} are not of one address family")


class NotAnEnd(PortgaugeError):
    """No connection has that address for an end."""

    def __init__(self, address: bytes) -> None:
        super().__init__(f"{format_ip(address)} stands for any address: name the one that connections really have")


class UnknownDevice(PortgaugeError):
    """No network device of that name here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no network device {name!r} in this namespace (see: ip link)")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="show how many more connect() one pool allows, with the sums",
        description="Account for one pool: range − reserved − blocked = capacity; capacity − held = headroom.",
        epilog="example: portgauge-agent explain --local 10.0.3.7 --peer 10.0.9.21:8080 (IPv6: [fd00::1]:8080)",
    )
    parser.add_argument("--local", type=ip, required=True, metavar="IP", help="the address connections leave from")
    parser.add_argument("--peer", type=endpoint, required=True, metavar="IP:PORT", help="where they go")
    parser.add_argument(
        "--protocol", choices=[one.value for one in Protocol], default=Protocol.TCP.value, help="tcp (default) or udp"
    )
    parser.add_argument("--device", metavar="DEV", help="the application binds to this device (SO_BINDTODEVICE)")
    parser.add_argument(
        "--local-port-range", type=port_range, metavar="L-H", help="the application's own range (IP_LOCAL_PORT_RANGE)"
    )
    parser.add_argument(
        "--bind-first", action="store_true", help="the application calls bind(local ip, 0) before connect()"
    )
    parser.add_argument(
        "--netns",
        default=OWN,
        metavar="NAME",
        help="the application's network namespace (default: that of the command)",
    )
    parser.add_argument("--no-probe", action="store_true", help="do not probe ports; bounds may be wider")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Account for the pool and print it."""
    told = Atlas().inside(arguments.netns, lambda place: _explained(arguments, place))
    if arguments.json:
        print(json.dumps(derivation_report(*told), indent=2))
    else:
        print(derivation_text(*told))
    return 0


class _Explained(NamedTuple):
    derivation: Derivation
    netns: str
    note: str
    owner: str


def _explained(arguments: argparse.Namespace, place: NetnsId) -> _Explained:
    """The account of the namespace this thread is in; names of devices are that namespace's, too."""
    question = _question(arguments)
    with open_sockets() as diag:
        accountant = Accountant(diag, probing=not arguments.no_probe)
        derivation = accountant.account(question)
        owner = _owner(diag, derivation, place, probing=not arguments.no_probe) if derivation.held else ""
    note = "; ".join(filter(None, [_strange(question), diag.loss, accountant.unavailable]))
    return _Explained(derivation, place.name, note, owner)


def _owner(diag: SockDiag, derivation: Derivation, place: NetnsId, *, probing: bool) -> str:
    """Whose sockets hold a pool of TCP; of binders only probes tell. One of UDP is everybody's of the family."""
    pool = pool_of(derivation.question, place.name)
    if pool.kind is Kind.UDP or (pool.kind is Kind.BIND and not probing):
        return ""
    from agent.owners import owner_of  # noqa: PLC0415 - a tenth of the command's start, and a free pool has no owner

    return owner_of(diag, derivation.port_range, pool, clock.monotonic_s())


def _question(arguments: argparse.Namespace) -> Question:
    peer, peer_port = arguments.peer
    if len(arguments.local) != len(peer):
        raise MixedFamilies(arguments.local, peer)
    for address in (arguments.local, peer):
        if not any(address):
            raise NotAnEnd(address)
    return Question(
        local=arguments.local,
        peer=peer,
        peer_port=peer_port,
        protocol=Protocol(arguments.protocol),
        ifindex=_ifindex(arguments.device) if arguments.device else 0,
        own_range=arguments.local_port_range,
        bind_first=arguments.bind_first,
    )


def _strange(question: Question) -> str:
    """What to say where connections cannot leave from that address, because this namespace does not have it."""
    local = format_ip(question.local)
    with socket.socket(socket.AF_INET if len(question.local) == V4_BYTES else socket.AF_INET6) as asking:
        try:
            asking.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            asking.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, question.ifindex)
            asking.bind((local, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return f"{local} is no address of this namespace (see: ip address)"
    return ""


def _ifindex(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        raise UnknownDevice(name) from None

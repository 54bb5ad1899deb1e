"""Reading what agent.accounting needs from the kernel, and probing what the kernel hides. The edge of the exact path.

The fast tally (agent.sampling) covers every pool of every sample; this reads sockets one by one, at about 2 µs each,
for the few pools whose exact number somebody asks for.
"""

import random
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from agent import sysctl
from agent.accounting.account import derive, worth_probing
from agent.accounting.connect import Table
from agent.accounting.derivation import Derivation
from agent.accounting.question import Protocol, Question
from agent.binders import IDLE, read_sockets
from agent.netlink.errors import DumpRefused
from agent.netlink.links import vrfs
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, local_port_in, one_family
from agent.netlink.sock_diag import SockDiag
from agent.probe import ProbeUnavailable, probe
from agent.tally import CONNECTED_STATES
from agent.traits import try_out
from shared.addresses import format_ip
from shared.ports import PortSettings
from shared.tcp import ALL_STATES

DISCARD = 9
SAMPLE_PORTS = 256
"""How many hidden ports are probed before deciding whether to probe them all."""


@dataclass(slots=True)
class Accountant:
    """Exact accounts of the thread's network namespace, all from one reading of its sockets."""

    diag: SockDiag
    settings: PortSettings
    read: Table
    """As it was read, of all VRFs."""
    explicit: Sequence[Socket]
    """Connected sockets that bound their port by number."""
    vrfs: Mapping[int, int]
    """Device index → VRF."""
    probing: bool
    unavailable: str = field(default="")
    """Why nothing was probed, where that was wanted."""
    vrf: int = 0
    table: Table = field(init=False)
    """What the latest question was answered from."""

    def __post_init__(self) -> None:
        self.table = self.read

    def account(self, question: Question, *, thoroughly: bool) -> Derivation:
        """Account for one pool; `thoroughly` probes every port that could matter, else a sample decides whether to."""
        if question.protocol is Protocol.TCP:
            question = replace(question, vrf=self.vrfs.get(question.ifindex, 0))
            self.table = self._in_vrf(question.vrf)
        if self.probing:
            self._probe(question, worth_probing(question, self.settings, self.table), thoroughly=thoroughly)
        return derive(question, self.settings, self.table)

    def _in_vrf(self, vrf: int) -> Table:
        """The sockets that share buckets and connections with askers in that VRF, 0 for outside of any."""
        here = [one for one in self.read.sockets if self.vrfs.get(one.ifindex, 0) == vrf]
        bound = frozenset(one.local_port for one in self.explicit if self.vrfs.get(one.ifindex, 0) == vrf)
        probed = self.table.probed if vrf == self.vrf else {}
        self.vrf = vrf
        return replace(self.read, sockets=here, explicit=bound, probed=probed)

    def _probe(self, question: Question, ports: Iterable[int], *, thoroughly: bool) -> None:
        wanted = sorted(ports)
        where = _nobody_in_vrf(question) if question.vrf else {}
        try:
            if not thoroughly and len(wanted) > SAMPLE_PORTS:
                sample = probe(random.sample(wanted, SAMPLE_PORTS), **where)
                if all(sample.values()):
                    return
            self.table = replace(self.table, probed={**self.table.probed, **probe(wanted, **where)})
        except ProbeUnavailable as error:
            self.probing, self.unavailable = False, str(error)


class _Where(TypedDict, total=False):
    towards: tuple[str, int]
    ifindex: int


def _nobody_in_vrf(question: Question) -> _Where:
    """The asked-for peer, to which the VRF has a route, at a port that nobody connects to."""
    port = DISCARD if question.peer_port != DISCARD else DISCARD + 1
    return {"towards": (format_ip(question.peer), port), "ifindex": question.ifindex}


def open_accounts(diag: SockDiag, protocol: Protocol = Protocol.TCP, *, probing: bool = True) -> Accountant:
    """Read settings and the protocol's sockets now. Raises DumpError or SamplingFailed."""
    settings = sysctl.read_port_settings()
    if protocol is Protocol.UDP:
        return Accountant(diag, settings, _udp_table(diag, settings), (), {}, probing)
    numbered = local_port_in([settings.port_range], explicit_only=True)
    explicit = read_sockets(diag, [both_families(CONNECTED_STATES, numbered)])
    return Accountant(diag, settings, _tcp_table(diag, settings), explicit, _separate_vrfs(settings), probing)


def _separate_vrfs(settings: PortSettings) -> Mapping[int, int]:
    """Devices with buckets apart; none where tcp_l3mdev_accept joins them, or where netlink is kept from us."""
    if settings.integers.get("tcp_l3mdev_accept"):
        return {}
    try:
        return vrfs()
    except DumpRefused:
        return {}


def _tcp_table(diag: SockDiag, settings: PortSettings) -> Table:
    found = read_sockets(diag, [both_families(ALL_STATES, local_port_in([settings.port_range]))])
    traits = try_out()
    frees = traits.frees_ports_on_release
    return Table(
        sockets=found,
        complete=shows_idle_binds(diag) if traits.shows_idle_binds is None else traits.shows_idle_binds,
        frees_ports_on_release=frees is not False,
        poisons_for_life=frees is not True,
        scans_own_range_whole=traits.scans_own_range_whole is True,
    )


def _udp_table(diag: SockDiag, settings: PortSettings) -> Table:
    in_range = local_port_in([settings.port_range])
    families = (socket.AF_INET, socket.AF_INET6)
    requests = [one_family(family, socket.IPPROTO_UDP, ALL_STATES, in_range) for family in families]
    return Table(sockets=read_sockets(diag, requests))


def shows_idle_binds(diag: SockDiag) -> bool:
    """Whether this kernel lists sockets that are bound and not connected: binds one, and looks."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        try:
            bound.bind(("", 0))
        except OSError:
            return False  # No port is left even for this: assume the worse kernel.
        port = bound.getsockname()[1]
        request = both_families(IDLE, local_port_in([sysctl.read_port_settings().port_range]))
        return any(one.local_port == port for buffer in diag.dump(request) for one in sockets(buffer))

"""Reading what agent.accounting needs from the kernel, and probing what the kernel hides. The edge of the exact path.

The fast tally (agent.sampling) covers every pool of every sample; this accounts for one pool. Where the namespace has
fewer sockets than its range has ports, all are read, one by one, and their ports probed as far as they can matter. Of
more, only the pool's own are read, and every other port is probed: docs/performance.md has what either costs.
"""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from socket import ntohs
from typing import TypedDict

from agent import sysctl
from agent.accounting.account import derive, worth_probing
from agent.accounting.connect import Table, Taker, devices_in_the_way, taker_of
from agent.accounting.derivation import Derivation
from agent.accounting.question import Protocol, Question
from agent.binders import IDLE, LISTEN, read_sockets
from agent.netlink.errors import DumpRefused
from agent.netlink.links import vrfs
from agent.netlink.records import Socket, rows, sockets
from agent.netlink.request import both_families, connected, local_port_in, one_family
from agent.netlink.sock_diag import SockDiag
from agent.netns import sockstat
from agent.probe import ProbeUnavailable, probe, try_to_bind
from agent.tally import CONNECTED_STATES
from agent.traits import try_out
from shared.addresses import format_ip
from shared.model import Kind
from shared.ports import PortSettings
from shared.tcp import ALL_STATES, State

DISCARD = 9


@dataclass(slots=True)
class Accountant:
    """Exact accounts of the thread's network namespace, each from a reading of its own."""

    diag: SockDiag
    probing: bool = True
    unavailable: str = field(default="")
    """Why nothing was probed, where that was wanted."""

    def account(self, question: Question) -> Derivation:
        """Account for one pool, now. Raises DumpError or SamplingFailed."""
        settings = sysctl.read_port_settings()
        if question.protocol is Protocol.UDP:
            return derive(question, settings, _udp_table(self.diag, settings))
        around = Surroundings.of(settings, tells_devices=not self.diag.loss)
        question = replace(question, vrf=around.vrfs.get(question.ifindex, 0))
        read = _read_own if self.probing and is_crowded(self.diag, question, settings) else _read_all
        table = read(self.diag, question, settings, around)
        if self.probing:
            try:
                table = self._probed(question, settings, table)
            except ProbeUnavailable as error:
                self.probing, self.unavailable = False, str(error)
                return self.account(question)
        return derive(question, settings, table)

    def _probed(self, question: Question, settings: PortSettings, table: Table) -> Table:
        """Every port that could matter asked for; of those found blocked, who sits there idle is read, too."""
        where = _nobody_in_vrf(question) if question.vrf else {}
        probed = probe(sorted(worth_probing(question, settings, table)), **where)
        if question.kind is Kind.BIND:
            shut = [port for port, is_open in probed.items() if not is_open]
            return replace(table, probed=probed, tried=try_to_bind(shut, question.local, question.ifindex))
        if table.unread and not all(probed.values()):
            idle = read_sockets(self.diag, [both_families(IDLE, local_port_in([settings.port_range]))])
            table = replace(
                table, sockets=[*table.sockets, *(one for one in idle if not probed.get(one.local_port, True))]
            )
        return replace(table, probed=probed)


class _Where(TypedDict, total=False):
    towards: tuple[str, int]
    ifindex: int


def _nobody_in_vrf(question: Question) -> _Where:
    """The asked-for peer, to which the VRF has a route, at a port that nobody connects to."""
    port = DISCARD if question.peer_port != DISCARD else DISCARD + 1
    return {"towards": (format_ip(question.peer), port), "ifindex": question.ifindex}


def is_crowded(diag: SockDiag, question: Question, settings: PortSettings) -> bool:
    """Whether every port has to be suspected of a hidden binder anyway: there are more sockets than ports."""
    if question.kind is not Kind.CONNECT or diag.loss:
        return False
    counts = sockstat.read()
    return counts is not None and counts.tcp > len(settings.port_range)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for every pool of the namespace."""

    vrfs: Mapping[int, int]
    """Device index → VRF."""
    known: Table
    """How this kernel behaves; without sockets."""

    @classmethod
    def of(cls, settings: PortSettings, *, tells_devices: bool = True) -> "Surroundings":
        """Those of the thread's namespace."""
        traits = try_out()
        frees = traits.frees_ports_on_release
        known = Table(
            sockets=(),
            complete=traits.shows_idle_binds is True,
            tells_devices=tells_devices,
            frees_ports_on_release=frees is not False,
            poisons_for_life=frees is not True,
            scans_own_range_whole=traits.scans_own_range_whole is True,
        )
        return cls(_separate_vrfs(settings), known)

    def of_vrf(self, found: Iterable[Socket], vrf: int) -> list[Socket]:
        """The sockets that share buckets and connections with askers in that VRF, 0 for outside of any."""
        return [one for one in found if self.vrfs.get(one.ifindex, 0) == vrf]


def _separate_vrfs(settings: PortSettings) -> Mapping[int, int]:
    """Devices with buckets apart; none where tcp_l3mdev_accept joins them, or where netlink is kept from us."""
    if settings.integers.get("tcp_l3mdev_accept"):
        return {}
    try:
        return vrfs()
    except DumpRefused:
        return {}


def _read_all(diag: SockDiag, question: Question, settings: PortSettings, around: Surroundings) -> Table:
    """Every socket on a port of the range."""
    found = read_sockets(diag, [both_families(ALL_STATES, local_port_in([settings.port_range]))])
    complete = around.known.complete or (try_out().shows_idle_binds is None and shows_idle_binds(diag))
    table = replace(around.known, sockets=around.of_vrf(found, question.vrf), complete=complete)
    return replace(table, explicit=_explicit(diag, question, settings, around))


def _read_own(diag: SockDiag, question: Question, settings: PortSettings, around: Surroundings) -> Table:
    """The pool's own sockets and, of the others, those that a filter of the kernel's tells to be binders."""
    in_range = local_port_in([settings.port_range])
    listening = read_sockets(diag, [both_families(LISTEN, in_range)])
    return replace(
        around.known,
        sockets=around.of_vrf(listening, question.vrf),
        explicit=_explicit(diag, question, settings, around),
        own=_own(diag, question, in_range, around),
        unread=len(settings.port_range),
    )


def _explicit(diag: SockDiag, question: Question, settings: PortSettings, around: Surroundings) -> frozenset[int]:
    """Ports that connected sockets bound by number."""
    numbered = local_port_in([settings.port_range], explicit_only=True)
    found = read_sockets(diag, [both_families(CONNECTED_STATES, numbered)])
    return frozenset(one.local_port for one in around.of_vrf(found, question.vrf))


def _own(diag: SockDiag, question: Question, in_range: bytes, around: Surroundings) -> dict[Taker, set[int]]:
    """The ports on which the asked-for tuple is taken."""
    devices = {one for one in devices_in_the_way(question) if around.vrfs.get(one, 0) == question.vrf}
    request = both_families(CONNECTED_STATES, connected(question.local, question.peer, question.peer_port, in_range))
    found: dict[Taker, set[int]] = {}
    in_full: dict[tuple[int, int], set[int]] = {}
    waiting = int(State.TIME_WAIT)
    for buffer in diag.dump(request):
        for _family, state, port, _key, ifindex, expires_ms in rows(buffer):
            if state != waiting and (state, ifindex) in in_full:
                in_full[state, ifindex].add(ntohs(port))  # What nearly all are, so it must not take long.
            elif ifindex in devices:
                its = found.setdefault(taker_of(state, ifindex, expires_ms), set())
                its.add(ntohs(port))
                in_full[state, ifindex] = its
    return found


def _udp_table(diag: SockDiag, settings: PortSettings) -> Table:
    in_range = local_port_in([settings.port_range])
    families = (socket.AF_INET, socket.AF_INET6)
    requests = [one_family(family, socket.IPPROTO_UDP, ALL_STATES, in_range) for family in families]
    return Table(sockets=read_sockets(diag, requests), tells_devices=not diag.loss)


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

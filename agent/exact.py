"""Reading what agent.accounting needs from the kernel, and probing what the kernel hides. The edge of the exact path.

The fast tally (agent.sampling) covers every pool of every sample; this reads sockets one by one, at about 2 µs each,
for the few pools whose exact number somebody asks for.
"""

import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent import sysctl
from agent.accounting.account import derive, worth_probing
from agent.accounting.connect import Table
from agent.accounting.derivation import Derivation
from agent.accounting.question import Protocol, Question
from agent.binders import IDLE, bound_ports, read_sockets
from agent.model import PortSettings
from agent.netlink.records import sockets
from agent.netlink.request import both_families, local_port_in, one_family
from agent.netlink.sock_diag import SockDiag
from agent.probe import ProbeUnavailable, probe
from agent.tally import CONNECTED_STATES
from agent.traits import try_out
from shared.tcp import ALL_STATES

SAMPLE_PORTS = 256
"""How many hidden ports are probed before deciding whether to probe them all."""


@dataclass(slots=True)
class Accountant:
    """Exact accounts of the thread's network namespace, all from one reading of its sockets."""

    diag: SockDiag
    settings: PortSettings
    table: Table
    probing: bool
    unavailable: str = field(default="")
    """Why nothing was probed, where that was wanted."""

    def account(self, question: Question, *, thoroughly: bool) -> Derivation:
        """Account for one pool; `thoroughly` probes every port that could matter, else a sample decides whether to."""
        if self.probing:
            self._probe(worth_probing(question, self.settings, self.table), thoroughly=thoroughly)
        return derive(question, self.settings, self.table)

    def _probe(self, ports: Iterable[int], *, thoroughly: bool) -> None:
        wanted = sorted(ports)
        try:
            if not thoroughly and len(wanted) > SAMPLE_PORTS:
                sample = probe(random.sample(wanted, SAMPLE_PORTS))
                if all(sample.values()):
                    return
            self.table = replace(self.table, probed={**self.table.probed, **probe(wanted)})
        except ProbeUnavailable as error:
            self.probing, self.unavailable = False, str(error)


def open_accounts(diag: SockDiag, protocol: Protocol = Protocol.TCP, *, probing: bool = True) -> Accountant:
    """Read settings and the protocol's sockets now. Raises DumpError or SamplingFailed."""
    settings = sysctl.read_port_settings()
    read = _tcp_table if protocol is Protocol.TCP else _udp_table
    return Accountant(diag, settings, read(diag, settings), probing)


def _tcp_table(diag: SockDiag, settings: PortSettings) -> Table:
    explicit = bound_ports(diag, CONNECTED_STATES, settings.port_range, explicit_only=True)
    found = read_sockets(diag, [both_families(ALL_STATES, local_port_in([settings.port_range]))])
    traits = try_out()
    frees = traits.frees_ports_on_release
    return Table(
        sockets=found,
        explicit=explicit,
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

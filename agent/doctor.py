"""What this agent can see on this host, what is hidden from it, and how to grant what is missing. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict

from shared.model import Unreadable
from shared.ports import PortRange, PortSettings

WANTED = {
    "CAP_NET_ADMIN": "probes of ports that no list of sockets decides",
    "CAP_SYS_ADMIN": "network namespaces other than the agent's own",
    "CAP_SYS_PTRACE": "processes of other users: which namespace they are in, which sockets they hold",
    "CAP_DAC_READ_SEARCH": "the lists of open files of other users' processes",
    "CAP_PERFMON": "connect() failures as the kernel tells them",
}
"""Capabilities that widen the view, and what for. Counting the own namespace needs none."""
NARROW_RANGE = 10_000
"""Fewer ports than this are worth a remark; the kernel's own default is 28,232."""
MANY_RESERVED = 0.1
HIDEPID = "mount -o remount,hidepid=0 /proc, or gid= a group the agent is in; in a systemd unit: ProtectProc=default"


class Verdict(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    HIDDEN = "hidden"
    """Something exists that the agent does not see: its numbers are bounds, or miss a part."""
    ADVICE = "advice"
    """All is seen; something could be set better."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked into."""

    topic: str
    verdict: Verdict
    says: str
    hides: str = ""
    """What one does not get to know, where anything is hidden."""
    grants: Sequence[str] = ()
    """What to do about it, each a whole remedy of its own."""
    capabilities: Sequence[str] = ()
    """What the remedies together take, for one line that grants it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an examination of the running system brought to light. A refusal is a reason, empty where there is none."""

    held: frozenset[str]
    """Effective capabilities, of those WANTED."""
    in_user_namespace: bool = False
    """Capabilities then hold for what belongs to that user namespace, and for nothing else."""
    in_pid_namespace: bool = False
    interpreter: str = "/usr/bin/python3"
    """The program that file capabilities would have to be set on."""
    list_refused: str = ""
    probe_refused: str = ""
    failures_refused: str = ""
    shows_idle_binds: bool = True
    tells_cgroups: bool = True
    closed_processes: int = 0
    """Processes whose open files we may not list."""
    namespaces: Sequence[str] = ("host",)
    unreadable: Sequence[Unreadable] = ()
    settings: PortSettings = field(default_factory=lambda: PortSettings(PortRange(32_768, 60_999)))
    unprivileged_port_start: int = 1024

    @property
    def missing(self) -> list[str]:
        """Capabilities not held, in the order of WANTED; CAP_SYS_ADMIN includes CAP_PERFMON."""
        implied = {"CAP_PERFMON"} if "CAP_SYS_ADMIN" in self.held else set()
        return [name for name in WANTED if name not in self.held | implied]


def findings(facts: Facts) -> list[Finding]:
    """All of them, in the order in which a person wants to read them."""
    return [
        _list_of_sockets(facts),
        _namespaces(facts),
        *([] if facts.list_refused else [_idle_binds(facts), _cgroups(facts)]),
        _probes(facts),
        _owners(facts),
        _failures(facts),
        *_sysctls(facts),
    ]


def hides_anything(found: Sequence[Finding]) -> bool:
    """Whether part of the picture is missing."""
    return any(one.verdict is Verdict.HIDDEN for one in found)


def grant_all(facts: Facts, found: Sequence[Finding]) -> list[str]:
    """How to grant every capability that a finding asks for, each line a way of its own."""
    asked = {name for one in found for name in one.capabilities}
    wanted = [name for name in WANTED if name in asked & set(facts.missing)]
    if not wanted:
        return []
    ambient = sorted(set(wanted) | facts.held)
    return [
        f"systemd unit: AmbientCapabilities={' '.join(ambient)}",
        f"by hand, as root: {_setpriv(ambient)} portgauge-agent …",
        f"for good: setcap {','.join(name.lower() for name in ambient)}=ep {facts.interpreter} (a copy of its own)",
    ]


def _setpriv(capabilities: Sequence[str]) -> str:
    names = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in capabilities)
    return f"setpriv --reuid USER --init-groups --inh-caps {names} --ambient-caps {names}"


class _Remedy(TypedDict):
    grants: Sequence[str]
    capabilities: Sequence[str]


def _granting(facts: Facts, *capabilities: str) -> _Remedy:
    """The remedy where capabilities are missing; a user namespace makes those that are held worth nothing outside."""
    missing = [name for name in capabilities if name in facts.missing]
    grants = [f"grant {' and '.join(missing)}"] if missing else []
    if facts.in_user_namespace:
        grants.append("run the agent outside this user namespace: its capabilities end with it")
    elif not missing:
        grants.append("look at the log of the security module (SELinux, AppArmor, Yama): no capability is missing")
    return _Remedy(grants=grants, capabilities=missing)


def _list_of_sockets(facts: Facts) -> Finding:
    if facts.list_refused:
        return Finding(
            "sockets",
            Verdict.HIDDEN,
            facts.list_refused,
            hides="who holds a pool, and ports bound by number; the rest is read from /proc/net/tcp, more slowly",
            grants=[
                "allow socket(AF_NETLINK) in the seccomp filter; systemd unit: RestrictAddressFamilies=AF_NETLINK",
                "modprobe tcp_diag udp_diag",
            ],
        )
    return Finding("sockets", Verdict.OK, "the kernel lists them (sock_diag); this takes no capability")


def _namespaces(facts: Facts) -> Finding:
    names = ", ".join(facts.namespaces[:8]) + (" …" if len(facts.namespaces) > 8 else "")  # noqa: PLR2004 - a line
    says = f"{len(facts.namespaces)} read: {names}"
    if facts.unreadable:
        return _unreadable_namespaces(facts, says)
    if facts.in_pid_namespace:
        return Finding(
            "namespaces",
            Verdict.HIDDEN,
            f"{says}; the agent is in a process id namespace of its own",
            hides="the network namespaces of every process outside this container",
            grants=["give the container the host's processes: docker --pid=host, Kubernetes hostPID: true"],
        )
    return Finding("namespaces", Verdict.OK, says)


def _unreadable_namespaces(facts: Facts, says: str) -> Finding:
    count = sum(one.namespaces for one in facts.unreadable)
    reasons = "; ".join(one.why for one in facts.unreadable)
    remedy = _granting(facts, "CAP_SYS_ADMIN", "CAP_SYS_PTRACE")
    veiled = [HIDEPID] if "hidepid" in reasons else []
    return Finding(
        "namespaces",
        Verdict.HIDDEN,
        f"{says}; {count or 'an unknown number'} not readable ({reasons})",
        hides="the pools of every connection made in them",
        grants=[*remedy["grants"], *veiled],
        capabilities=remedy["capabilities"],
    )


def _idle_binds(facts: Facts) -> Finding:
    if facts.shows_idle_binds:
        return Finding("idle binds", Verdict.OK, "the kernel lists sockets that are bound and not connected")
    says = "this kernel lists no socket that is bound and not connected (Linux 6.8 does)"
    if not facts.probe_refused:
        return Finding("idle binds", Verdict.OK, f"{says}; probes find their ports")
    return Finding(
        "idle binds",
        Verdict.HIDDEN,
        f"{says}, and probes are not available",
        hides="any number of blocked ports: headroom is an upper bound",
        **_granting(facts, "CAP_NET_ADMIN"),
    )


def _probes(facts: Facts) -> Finding:
    if not facts.probe_refused:
        return Finding("probes", Verdict.OK, "the kernel tells of each port whether connect() may take it")
    return Finding(
        "probes",
        Verdict.HIDDEN,
        facts.probe_refused,
        hides="ports that were bound without a number: where there are any, headroom is a span and not a number",
        **(_granting(facts, "CAP_NET_ADMIN") if "CAP_" in facts.probe_refused else _Remedy(grants=[], capabilities=[])),
    )


def _owners(facts: Facts) -> Finding:
    if not facts.closed_processes:
        return Finding("owners", Verdict.OK, "the open files of every process can be looked through")
    return Finding(
        "owners",
        Verdict.HIDDEN,
        f"{facts.closed_processes} processes do not let us list their open files",
        hides="which process holds a pool, where it is another user's; its cgroup is known all the same",
        **_granting(facts, "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"),
    )


def _cgroups(facts: Facts) -> Finding:
    if facts.tells_cgroups:
        return Finding("cgroups", Verdict.OK, "the kernel tells the control group of each socket")
    return Finding(
        "cgroups",
        Verdict.HIDDEN,
        "this kernel does not tell the control group of a socket (Linux 5.8 does, with CONFIG_SOCK_CGROUP_DATA)",
        hides="which unit or container holds a pool",
        grants=["a kernel from 5.8 on"],
    )


def _failures(facts: Facts) -> Finding:
    if not facts.failures_refused:
        return Finding("failures", Verdict.OK, "connect() that finds no port is told by the kernel as it happens")
    return Finding(
        "failures",
        Verdict.HIDDEN,
        facts.failures_refused,
        hides="connect() calls that failed for want of a port: exhaustion is foretold, but not counted",
        **_granting(facts, "CAP_PERFMON", "CAP_SYS_ADMIN"),
    )


def _sysctls(facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    ports, reserved = settings.port_range, len(settings.reserved_in_range)
    yield _range(ports, facts.unprivileged_port_start)
    if reserved > MANY_RESERVED * len(ports):
        yield _advice("reserved", f"{reserved:,} of {len(ports):,} ports are in ip_local_reserved_ports")
    reuse = settings.integers.get("tcp_tw_reuse")
    if reuse == 0:
        yield _advice("tcp_tw_reuse", "0: each closed connection holds its port for 60 s; 1 lets connect() recycle it")
    elif reuse is not None:
        delay = settings.integers.get("tcp_tw_reuse_delay")
        after = f"after {delay:,} ms" if delay is not None else "after about 1 s (no tcp_tw_reuse_delay before 6.14)"
        where = "for every destination" if reuse == 1 else "on loopback only (the default)"
        yield Finding("tcp_tw_reuse", Verdict.OK, f"{reuse}: TIME_WAIT is recycled {where}, {after}")
    if reuse == 1 and settings.integers.get("tcp_timestamps") == 0:
        yield _advice("tcp_timestamps", "0: without timestamps nothing is recycled, whatever tcp_tw_reuse says")


def _range(ports: PortRange, unprivileged_start: int) -> Finding:
    if len(ports) == 1:
        return _advice("range", f"{ports}: a single port, so one connection to each destination")
    if len(ports) % 2:
        even = f'sysctl -w net.ipv4.ip_local_port_range="{ports.low} {ports.high - 1}"'
        return _advice("range", f"{ports}: an odd size; each connect() overlooks one port of it. Make it even: {even}")
    if len(ports) < NARROW_RANGE:
        return _advice("range", f"{ports}: {len(ports):,} ports, where the kernel's default is 28,232")
    return Finding(
        "range",
        Verdict.OK,
        f"{ports}: {len(ports):,} ports, an even number; it cannot start below {unprivileged_start:,} "
        "(ip_unprivileged_port_start)",
    )


def _advice(topic: str, says: str) -> Finding:
    return Finding(topic, Verdict.ADVICE, says)

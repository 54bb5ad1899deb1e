"""What an operator can set for `portgauge-agent run`: a TOML file, and flags that override it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from agent.identity import host_name
from agent.place import UnixPlace, parse_place
from shared.errors import PortgaugeError
from shared.limits import MAX_LABELS, MAX_NAME_CHARS
from shared.ports import InvalidPorts, parse_ports
from shared.tuning import RULES, are_labels

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*\Z")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@/-]{0,127}\Z")
MOST_LOGS = 16
LEAST_SPOOL_BYTES = 1024 * 1024
THRESHOLDS = (0.5, 0.7, 0.85, 1.0)
"""The knee, the built-in rules of the collector, and the end."""
MOST_SOURCE_PORTS = 64
LOG_LEVELS = ("debug", "info", "warning", "error")


class InvalidConfig(PortgaugeError):
    """A setting has a value that cannot work."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(f"{key}: {what}")
        self.key = key


def default_spool_dir() -> Path:
    """Systemd's StateDirectory= where there is one, else the user's state directory (XDG)."""
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    state_home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state_home) / "portgauge" / "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """How one agent runs. Intervals may be fractions of a second."""

    collector: str
    """Base URL of the collector."""
    token_file: Path
    """File whose first line is the push token."""
    join_token_file: Path | None = None
    """File with a join token, for a host that has no push token yet: `token_file` is then written by the agent."""
    source_ports: str = ""
    """Local ports for the connection to the collector, like `61000-61003`, outside what the kernel lends."""
    tls_ca: Path | None = None
    """Authorities that may have signed the collector's certificate; the system's if none."""
    tls_cert: Path | None = None
    """The agent's own certificate, for a collector that asks for one."""
    tls_key: Path | None = None
    """Its private key; in the same file if none."""
    proxy_from_env: bool = False
    """Whether HTTP_PROXY, HTTPS_PROXY and NO_PROXY hold for the agent."""
    gzip: bool = False
    """Whether snapshots travel compressed."""
    host: str = field(default_factory=host_name)
    role: str = ""
    """The group of machines this one belongs to; travels as the label `role`."""
    labels: dict[str, str] = field(default_factory=dict)
    netns: tuple[str, ...] = ()
    """Network namespaces to sample, by name, `own` being the one the agent runs in; none for all of the host."""
    interval_s: float = 10.0
    cpu_share: float = 0.01
    """Of one core, averaged: what sampling may take. Where that is too little, samples come less often."""
    thresholds: tuple[float, ...] = THRESHOLDS
    """Occupancies that are to be seen within moments of being reached."""
    most_pools: int = 200
    """Pools listed one by one a namespace; the rest travel as exact sums."""
    probe: bool = True
    """Whether ports may be probed, to find binders that no list of the kernel shows."""
    log_files: tuple[Path, ...] = ()
    """Logs of proxies to listen to for what they say when connect() finds no port."""
    journal: tuple[str, ...] = ()
    """Syslog identifiers to listen to in systemd's journal, such as `haproxy`."""
    spool_dir: Path = field(default_factory=default_spool_dir)
    spool_max_bytes: int = 64 * 1024 * 1024
    spool_max_age_s: float = 48 * 3600.0
    listen: str = ""
    """Where /metrics and /healthz are answered: `unix:/PATH` or a loopback `HOST:PORT`; nowhere if empty."""
    listen_beyond_loopback: bool = False
    """Whether `listen` may name an address that other hosts reach; whoever asks there is told the pools."""
    log_level: str = "info"
    log_json: bool = False

    def __post_init__(self) -> None:
        for key, holds, what in (
            ("collector", _is_url(self.collector), "need a URL like http://127.0.0.1:8766, without user or password"),
            ("source_ports", _are_source_ports(self.source_ports), f"need 1 to {MOST_SOURCE_PORTS} ports: 61000-61003"),
            ("tls_key", self.tls_cert is not None or self.tls_key is None, "need tls_cert beside it"),
            ("host", _is_name(self.host), "need letters, digits and . _ : -"),
            *((key, holds(getattr(self, key)), what) for key, (holds, what) in RULES.items()),
            ("log_files", len(self.log_files) <= MOST_LOGS, f"need at most {MOST_LOGS}"),
            ("journal", _are_identifiers(self.journal), f"need at most {MOST_LOGS} syslog identifiers like haproxy"),
            ("spool_max_bytes", self.spool_max_bytes >= LEAST_SPOOL_BYTES, f"need at least {LEAST_SPOOL_BYTES}"),
            ("spool_max_age_s", self.spool_max_age_s > 0, "need seconds above 0"),
            ("listen", *_listen(self.listen, beyond_loopback=self.listen_beyond_loopback)),
            ("log_level", self.log_level in LOG_LEVELS, f"need one of {', '.join(LOG_LEVELS)}"),
            ("labels", are_labels(self.all_labels), f"need at most {MAX_LABELS} names of letters, digits and _"),
        ):
            if not holds:
                raise InvalidConfig(key, what)

    @property
    def all_labels(self) -> Mapping[str, str]:
        """The labels with the role among them."""
        return {**self.labels, "role": self.role} if self.role else self.labels


def _listen(text: str, *, beyond_loopback: bool) -> tuple[bool, str]:
    place = parse_place(text)
    if place is None:
        return not text, "need unix:/PATH, or HOST:PORT like 127.0.0.1:9766"
    is_local = isinstance(place, UnixPlace) or place.is_loopback
    return is_local or beyond_loopback, "need a loopback address, or listen_beyond_loopback = true"


def _are_identifiers(names: tuple[str, ...]) -> bool:
    return len(names) <= MOST_LOGS and all(_IDENTIFIER.match(name) for name in names)


def _is_url(text: str) -> bool:
    """Without credentials: URLs are logged."""
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return has_place and parts.scheme in ("http", "https") and "@" not in parts.netloc


def _are_source_ports(text: str) -> bool:
    try:
        ports = parse_ports(text)
    except InvalidPorts:
        return False
    return not text or (1 <= len(ports) <= MOST_SOURCE_PORTS and min(ports) > 0)


def _is_name(text: str) -> bool:
    return bool(_HOST.match(text)) and len(text) <= MAX_NAME_CHARS

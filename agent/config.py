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
    """Base URL of the collector, `http://…` or `https://…`."""
    token_file: Path
    """File whose first line is the push token; read anew for each push, so it can be rotated. Refused if anybody but
    the agent's user can read it (0600; root's may be 0640)."""
    join_token_file: Path | None = None
    """File with a join token. Where `token_file` does not exist yet, the agent gets a token of its own for it and
    writes that there, 0600; so its user must be able to write beside it."""
    source_ports: str = ""
    """Local ports for the connection to the collector, like `61000-61003`: outside `ip_local_port_range`, or reserved
    in it. Then the agent comes through when the host has no port left; several, since one stays in TIME_WAIT for a
    minute. They are used first, the kernel's choice after them."""
    tls_ca: Path | None = None
    """PEM file of the authorities that may have signed the certificate of an `https://` collector. Read again when it
    changes."""
    tls_cert: Path | None = None
    """PEM file with the agent's own certificate, for a collector with `tls_client_ca`. Read again when it changes."""
    tls_key: Path | None = None
    """PEM file with its private key; may be the same file. Read again when it changes."""
    proxy_from_env: bool = False
    """Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` hold for the agent."""
    gzip: bool = False
    """Whether snapshots travel compressed, to a fifth or so of their bytes; the collector inflates them, which costs it
    about as much as reading them does."""
    host: str = field(default_factory=host_name)
    """This host's name."""
    role: str = ""
    """The group of machines it belongs to; travels as the label `role`."""
    labels: dict[str, str] = field(default_factory=dict)
    """At most 32."""
    netns: tuple[str, ...] = ()
    """Names of the network namespaces to sample; `own` is the agent's."""
    interval_s: float = 10.0
    """Seconds between samples, fractions allowed; sooner where a pool may have reached a threshold or is half full."""
    cpu_share: float = 0.01
    """Of one core, averaged, what sampling may take; too small, it makes samples rarer, and the log says so."""
    thresholds: tuple[float, ...] = THRESHOLDS
    """Occupancies to be seen within moments of being reached."""
    most_pools: int = 200
    """Pools listed one by one a namespace; the rest travel as exact sums."""
    probe: bool = True
    """Whether ports may be probed, to find binders that no list of the kernel shows."""
    log_files: tuple[Path, ...] = ()
    """Logs of proxies, listened to for what HAProxy, nginx, Envoy and others say when connect() finds no port; only
    those words leave the host. Rotation is followed."""
    journal: tuple[str, ...] = ()
    """The same in systemd's journal, by syslog identifier: `["haproxy"]`."""
    spool_dir: Path = field(default_factory=default_spool_dir)
    """Where unacknowledged snapshots wait."""
    spool_max_bytes: int = 64 * 1024 * 1024
    """Past it the oldest go, and are counted."""
    spool_max_age_s: float = 48 * 3600.0
    """The same by age."""
    listen: str = ""
    """Where `/metrics` and `/healthz` are answered: `unix:/run/portgauge/agent.sock` (0660) or a loopback
    `127.0.0.1:9766`."""
    listen_beyond_loopback: bool = False
    """Allows `listen` an address that other hosts reach; whoever asks is told the fullest pools."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""
    log_json: bool = False
    """One JSON object a line instead of `key=value`. Either way, what was said is not said again for a minute, only
    counted (`… repeated 57 times`); `debug` leaves nothing out."""

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

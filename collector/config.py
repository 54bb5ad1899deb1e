"""What can be configured, with its defaults: every key is a field here."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.ruleset import require_known_channels
from collector.history.tiers import DAY_MS, HOUR_MS, Keep
from collector.notify.settings import ChannelSettings
from shared.errors import PortgaugeError
from shared.settings import InvalidValue

LEVELS = ("debug", "info", "warning", "error")
ROLES = ("all", "ingest", "leader")
"""What a process does: take snapshots, evaluate and tell people (one of several does), or both."""
DATABASE_VARIABLE = "PORTGAUGE_DATABASE"
HIGHEST_PORT = 65_535
LEAST_MINUTE_DAYS = 8
"""Hours are made from minutes, five days at a time, and anew for what arrives up to two days late."""

METRICS_POOLS, MOST_METRICS_POOLS = 50, 1_000
"""Pools told to Prometheus one by one, five series each; what one scrape should bear at most."""


class InvalidConfig(PortgaugeError):
    """A value that could never work. The message says which, and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One collector's settings. `[[rule]]` tables, where there are any, replace the built-in rules altogether."""

    listen: str = "127.0.0.1:8766"
    """HOST:PORT; port 0 takes any free one."""
    database: str = ""
    """A SQLAlchemy URL (`sqlite+aiosqlite:///…`, `postgresql://user:password@host/name`; several hosts as
    `?host=a:5432&host=b:5432&target_session_attrs=read-write`), or a path, which means SQLite."""
    role: str = "all"
    """What this process does: `ingest` takes snapshots, `leader` evaluates, prunes and tells people, `all` does both.
    Others than `all` need PostgreSQL; of several leaders one works, the others wait."""
    tls_cert: Path | None = None
    """PEM file with the collector's certificate (the whole chain): it then answers `https://` only. SIGHUP reads it
    anew, without cutting connections."""
    tls_key: Path | None = None
    """PEM file with its private key; may be the same file."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities that must have signed the certificate of whoever connects, agents and people alike;
    tokens are needed as before."""
    log_level: str = "info"
    """As for the agent."""
    log_json: bool = False
    """As for the agent."""
    retention_hours: float = 48.0
    """How long snapshots are kept as they were taken; transitions and delivered notices as long, and agents keep a
    backlog as long."""
    retention_minute_days: float = 30.0
    """How long minima, means and maxima by the minute are kept; at least 8."""
    retention_hour_days: float = 730.0
    """The same by the hour."""
    public_url: str = ""
    """Where people find the page; links in notices begin with it."""
    metrics_pools: int = METRICS_POOLS
    """How many of the fleet's fullest pools `/metrics` tells one by one, five series each; all others are sums. At most
    1000; 0: none."""
    rule: tuple[Rule, ...] = BUILT_IN
    """What to watch; any `[[rule]]` replaces the built-in ones altogether."""
    digest_at: str = "07:00"
    """When near-miss reports are made (`digests` of a channel), HH:MM in UTC."""
    channel: tuple[ChannelSettings, ...] = ()
    """Where notices go besides the log."""

    def __post_init__(self) -> None:
        parse_listen(self.listen)
        for name, known in (("role", ROLES), ("log_level", LEVELS)):
            if getattr(self, name) not in known:
                raise InvalidConfig(f"{name}: one of {', '.join(known)} is needed, not {getattr(self, name)!r}")
        if self.tls_cert is None and (self.tls_key or self.tls_client_ca):
            raise InvalidConfig("tls_key, tls_client_ca: tls_cert is needed beside them")
        if self.public_url and urlsplit(self.public_url).scheme not in {"http", "https"}:
            raise InvalidConfig("public_url: an http:// or https:// address is needed")
        parse_time(self.digest_at)
        if not 0 < self.retention_hours < float("inf"):
            raise InvalidConfig("retention_hours: a number above 0 is needed")
        if not LEAST_MINUTE_DAYS <= self.retention_minute_days < float("inf"):
            raise InvalidConfig(f"retention_minute_days: a number of days from {LEAST_MINUTE_DAYS} on is needed")
        if not self.retention_minute_days <= self.retention_hour_days < float("inf"):
            raise InvalidConfig("retention_hour_days: a number not below retention_minute_days is needed")
        if not 0 <= self.metrics_pools <= MOST_METRICS_POOLS:
            raise InvalidConfig(f"metrics_pools: a number from 0 to {MOST_METRICS_POOLS} is needed")
        _require_unique("rule", [rule.name for rule in self.rule])
        _require_unique("channel", [channel.name for channel in self.channel])
        self._require_known_channels()

    def _require_known_channels(self) -> None:
        for number, rule in enumerate(self.rule):
            require_known_channels(f"rule[{number}].channels", rule, [channel.name for channel in self.channel])

    @property
    def keep(self) -> Keep:
        """How long each tier of history is kept."""
        minute_ms, hour_ms = (round(days * DAY_MS) for days in (self.retention_minute_days, self.retention_hour_days))
        return Keep(raw_ms=round(self.retention_hours * HOUR_MS), minute_ms=minute_ms, hour_ms=hour_ms)


def parse_listen(text: str) -> tuple[str, int]:
    """Read `127.0.0.1:8766`, `[::1]:8766` or `name:0` (0: any free port). Raises InvalidConfig."""
    host, colon, port = text.rpartition(":")
    is_bare_v6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or not host or is_bare_v6 or not (port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT):
        raise InvalidConfig(f"listen: {text!r} is not HOST:PORT, like 127.0.0.1:8766 or [::1]:8766")
    return host.removeprefix("[").removesuffix("]"), int(port)


def parse_time(text: str) -> int:
    """`07:30` as minutes of the day. Raises InvalidValue."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if not found:
        raise InvalidValue("digest_at", f"{text!r} is not HH:MM, like 07:00")
    return int(found[1]) * 60 + int(found[2])


def choose_database(flag: str | None, environment: Mapping[str, str], configured: str = "") -> str:
    """Which database: the flag, else the environment, else the file, else the default."""
    return flag or environment.get(DATABASE_VARIABLE) or configured or str(default_database(environment))


def default_database(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME/portgauge/history.db`; a relative XDG_STATE_HOME is ignored, as its specification asks."""
    state = Path(environment.get("XDG_STATE_HOME") or "")
    return (state if state.is_absolute() else Path.home() / ".local" / "state") / "portgauge" / "history.db"


def _require_unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidConfig(f"{what}: two are named {twice[0]!r}; give each a name of its own")

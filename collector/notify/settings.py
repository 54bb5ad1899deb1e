"""How a channel is configured: an address, secrets that stay out of the file, and what it takes."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from collector.alerts.digest import KINDS
from collector.alerts.rules import SEVERITIES
from shared.errors import PortgaugeError
from shared.settings import InvalidValue, nearest

ALERTMANAGER = ("alertmanager+http", "alertmanager+https")
WEBHOOK = ("http", "https")
MOST_TIMEOUT_S = 60.0
TIMEOUT_S = 5.0
SERVICE_TIMEOUT_S = 30.0
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SecretUnavailable(PortgaugeError):
    """A secret that a channel needs is not where the configuration says. The message never holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """One way to reach people. `name` stands for the address, which may hold a secret, in logs and database.

    `http(s)://…` is a webhook, `alertmanager+http(s)://host:port[,host:port…]` one or more Alertmanagers, anything else
    an address of apprise: `mailto://`, `slack://`, `pagerduty://`, … In addresses and `secret`, `${NAME}` is taken from
    the environment.
    """

    name: str
    """Stands for the address in logs and database, since an address may hold a secret."""
    url: str = ""
    """`http(s)://…`: a webhook. `alertmanager+http(s)://HOST:PORT[,HOST:PORT…]`: one Alertmanager or all peers of a
    cluster. Anything else is an address of apprise: `mailto://`, `slack://`, `pagerduty://`, …"""
    url_file: Path | None = None
    """A file whose first line is the address; refused where everybody can read it."""
    secret: str = ""
    """What a webhook's notices are signed with (HMAC-SHA256)."""
    secret_file: Path | None = None
    """A file whose first line is that."""
    severities: tuple[str, ...] = SEVERITIES
    """Of `plan`, `page`."""
    timeout_s: float | None = None
    """For how many seconds an answer is waited for, at most 60. Left out: 5; 30 for services of apprise, since mail
    servers let strangers wait before they greet, and what was given up too soon arrives all the same, and again."""
    heartbeat_s: float = 0.0
    """How often, in seconds, it is told that the collector evaluates (a dead man's switch); 0: never. An Alertmanager
    has `portgauge-alive` firing then."""
    digests: tuple[str, ...] = ()
    """Near-miss reports it takes: `daily` (of the day before), `weekly` (on Mondays, of the week before, UTC). Not for
    an Alertmanager, which takes alerts."""

    def __post_init__(self) -> None:
        if not self.name.isprintable() or not self.name or self.name == "log":
            raise InvalidValue("name", "printable text is needed, other than 'log'")
        for key, file in (("url", self.url_file), ("secret", self.secret_file)):
            if getattr(self, key) and file:
                raise InvalidValue(key, f"give {key} or {key}_file, not both")
        if not self.url and not self.url_file:
            raise InvalidValue("url", "an address is needed: url, or url_file")
        if self.url and "${" not in self.url:
            check_address(self.url)
        _require_known("severities", self.severities, SEVERITIES)
        _require_known("digests", self.digests, KINDS)
        if self.timeout_s is not None and not 0 < self.timeout_s <= MOST_TIMEOUT_S:
            raise InvalidValue("timeout_s", "a number of seconds above 0, at most 60, is needed")
        if not 0 <= self.heartbeat_s < float("inf"):
            raise InvalidValue("heartbeat_s", "a number of seconds, 0 or more, is needed")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A channel's settings with its secrets in hand."""

    settings: ChannelSettings
    url: str
    secret: bytes


def resolve(settings: ChannelSettings, environment: Mapping[str, str] = os.environ) -> Resolved:
    """Fetch the secrets. Raises SecretUnavailable, InvalidValue."""
    url = _from_file(settings.name, settings.url_file) if settings.url_file else settings.url
    secret = _from_file(settings.name, settings.secret_file) if settings.secret_file else settings.secret
    url = _expanded(settings.name, url, environment)
    check_address(url)
    if settings.digests and urlsplit(url).scheme in ALERTMANAGER:
        raise InvalidValue("digests", f"channel {settings.name!r}: an Alertmanager takes alerts, not reports")
    return Resolved(settings, url, _expanded(settings.name, secret, environment).encode())


def check_address(url: str) -> None:
    """Raise InvalidValue, without the address, for one that could never work."""
    parts = urlsplit(url)
    if not parts.scheme or (parts.scheme in (*WEBHOOK, *ALERTMANAGER) and not parts.netloc):
        raise InvalidValue("url", "an address like https://…, alertmanager+http://… or one of apprise is needed")


def _require_known(key: str, given: Sequence[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise InvalidValue(key, f"of {', '.join(known)}, not {one!r}{nearest(one, known)}")


def _expanded(name: str, text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise SecretUnavailable(f"channel {name!r}: the environment has no {found[1]}")
        return environment[found[1]]

    return _VARIABLE.sub(value, text)


def _from_file(name: str, file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            if os.fstat(opened.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise SecretUnavailable(f"channel {name!r}: everybody can read {file}: chmod 600 {file}")
            line = opened.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnavailable(f"channel {name!r}: {file} cannot be read ({type(error).__name__})") from None
    if not line:
        raise SecretUnavailable(f"channel {name!r}: {file} is empty")
    return line

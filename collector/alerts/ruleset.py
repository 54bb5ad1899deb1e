"""Which rules are in force, and where each comes from: the configuration file, the API, or the program itself. Pure.

Of two of one name the file's wins, then the API's. Without `[[rule]]` in the file those built in hold, each for as
long as the API has none of its name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from shared.errors import PortgaugeError
from shared.settings import InvalidValue, nearest

MOST_MADE = 200
"""Rules made by the API: each costs a little at every report."""


class Origin(StrEnum):
    """Where a rule comes from."""

    FILE = "file"
    API = "api"
    BUILT_IN = "built-in"


class UnknownRule(PortgaugeError):
    """The API made no rule of this name."""


class CannotChange(PortgaugeError):
    """A rule that the API may not make, or make anew."""


@dataclass(frozen=True, slots=True)
class Made:
    """A rule made by the API: who made it what it is, and when."""

    rule: Rule
    author: str
    changed_ms: int


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule that is watched; `author` and `changed_ms` of one that the API made."""

    rule: Rule
    origin: Origin
    author: str | None = None
    changed_ms: int | None = None


def in_force(configured: Sequence[Rule], made: Sequence[Made]) -> tuple[InForce, ...]:
    """The file's or those built in, as they are listed, then the API's by name."""
    origin = origin_of(configured)
    anew = {one.rule.name for one in made} if origin is Origin.BUILT_IN else frozenset()
    kept = [InForce(rule, origin) for rule in configured if rule.name not in anew]
    names = {one.rule.name for one in kept}
    more = sorted((one for one in made if one.rule.name not in names), key=lambda one: one.rule.name)
    return (*kept, *(InForce(one.rule, Origin.API, one.author, one.changed_ms) for one in more))


def origin_of(configured: Sequence[Rule]) -> Origin:
    """Where what is configured comes from: a file that has rules replaces those built in altogether."""
    return Origin.BUILT_IN if configured is BUILT_IN else Origin.FILE


def require_changeable(configured: Sequence[Rule], name: str) -> None:
    """Raise CannotChange where the configuration file defines the rule."""
    if origin_of(configured) is Origin.FILE and name in {rule.name for rule in configured}:
        raise CannotChange(f"the configuration file defines the rule {name!r}, and wins; change it there")


def require_known_channels(key: str, rule: Rule, channels: Collection[str]) -> None:
    """Raise InvalidValue that names the nearest channel where the rule names one that nobody configured."""
    known = ["log", *channels]
    for name in rule.channels:
        if name not in known:
            hint = nearest(name, known) or f"; known: {', '.join(known)}"
            raise InvalidValue(key, f"no channel is named {name!r}{hint}")

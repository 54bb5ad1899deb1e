"""Hosts that lag behind the fleet or differ from what they are to be: by version, and by configuration. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from collector.fleet.host import Host
from collector.rollout.plan import Rollout, revision_for
from collector.rollout.step import place_of

_EARLY = ("dev", "a", "b", "rc")
"""What is not released yet, as Python packages call it, in this order (PEP 440)."""


def lagging(fleet: Sequence[Host], rollouts: Sequence[Rollout]) -> list[tuple[Host, list[str]]]:
    """Each such host, and why, in words."""
    newest = max((host.agent_version for host in fleet if host.agent_version), key=_order, default="")
    found = [(host, [*_of_version(host, newest), *_of_revision(host, rollouts)]) for host in fleet]
    return [(host, why) for host, why in found if why]


def _of_version(host: Host, newest: str) -> Iterable[str]:
    if host.agent_version and _order(host.agent_version) < _order(newest):
        yield f"version {host.agent_version}, the newest is {newest}"


def _of_revision(host: Host, rollouts: Sequence[Rollout]) -> Iterable[str]:
    wanted = revision_for(rollouts, place_of(host))
    number = wanted.id if wanted else 0
    if host.state is None:
        if number:
            yield f"revision {number} is meant for it, and its agent is too old to take any"
        return
    if host.state["failed"]:
        yield f"revision {host.state['failed']} failed: {host.state['why']}"
    elif host.state["revision"] != number:
        yield f"revision {host.state['revision']} in force, {number} is meant for it"


@lru_cache(maxsize=256)
def _order(version: str) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """0.2.0.dev1, 0.2.0a1 and 0.2.0rc1 come before 0.2.0, which they lead to."""
    rest = version.lstrip("0123456789.")
    kind = next((place for place, name in enumerate(_EARLY) if rest.startswith(name)), len(_EARLY))
    return _numbers(version[: len(version) - len(rest)]), kind, _numbers(rest)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))

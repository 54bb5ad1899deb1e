"""What a new configuration changes in a running agent. Pure."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from agent.config import AgentConfig
from shared.settings import build
from shared.tuning import Tuning


class Part(StrEnum):
    """What is begun anew where one of its keys changed; the other parts go on untouched."""

    SAMPLING = "sampling"
    PUSHING = "pushing"
    LISTENING = "listening"
    LOGGING = "logging"
    PROCESS = "process"
    """Not to be changed in a running agent: the spool and what its sequence numbers belong to."""


PART_OF = {
    "collector": Part.PUSHING,
    "token_file": Part.PUSHING,
    "join_token_file": Part.PUSHING,
    "source_ports": Part.PUSHING,
    "tls_ca": Part.PUSHING,
    "tls_cert": Part.PUSHING,
    "tls_key": Part.PUSHING,
    "proxy_from_env": Part.PUSHING,
    "gzip": Part.PUSHING,
    "host": Part.PROCESS,
    "role": Part.SAMPLING,
    "labels": Part.SAMPLING,
    "netns": Part.SAMPLING,
    "interval_s": Part.SAMPLING,
    "cpu_share": Part.SAMPLING,
    "thresholds": Part.SAMPLING,
    "most_pools": Part.SAMPLING,
    "probe": Part.SAMPLING,
    "log_files": Part.SAMPLING,
    "journal": Part.SAMPLING,
    "spool_dir": Part.PROCESS,
    "spool_max_bytes": Part.PROCESS,
    "spool_max_age_s": Part.PROCESS,
    "listen": Part.LISTENING,
    "listen_beyond_loopback": Part.LISTENING,
    "log_level": Part.LOGGING,
    "log_json": Part.LOGGING,
}
"""Every key of AgentConfig."""


class Local(NamedTuple):
    """The host's own configuration, and the keys that its file or flags set."""

    config: AgentConfig
    pinned: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    config: AgentConfig
    """The new configuration with the old values of the keys that cannot change."""
    changed: tuple[str, ...]
    """Keys that take effect now."""
    need_restart: tuple[str, ...]
    """Keys that changed in the file but cannot in a running agent."""

    @property
    def parts(self) -> frozenset[Part]:
        """What is to be begun anew."""
        return frozenset(PART_OF[key] for key in self.changed)


def plan(old: AgentConfig, new: AgentConfig) -> Plan:
    """How to come from the one to the other."""
    differ = [key for key in PART_OF if getattr(old, key) != getattr(new, key)]
    fixed = tuple(key for key in differ if PART_OF[key] is Part.PROCESS)
    config = dataclasses.replace(new, **{key: getattr(old, key) for key in fixed})
    return Plan(config, tuple(key for key in differ if key not in fixed), fixed)


def overlaid(local: Local, settings: Mapping[str, Any]) -> AgentConfig:
    """The host's configuration with the fleet's under it: what the host sets itself wins, label by label.

    Raises SettingsError or InvalidConfig.
    """
    tuning = build(Tuning, settings, "the fleet's configuration")
    given = {key: value for key, value in tuning.values().items() if key not in local.pinned}
    return dataclasses.replace(local.config, **given, labels={**tuning.labels, **local.config.labels})

"""One sample, or the reason why there is none, becomes a snapshot in the spool."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from agent.config import AgentConfig
from agent.errors import SamplingFailed
from agent.host import HostSample
from agent.identity import machine_id
from agent.netlink.errors import DumpError
from agent.netns import UnknownNamespace, cpu_s
from agent.spool import Spool, SpoolUnusable
from agent.steered import UNSTEERED, Steered, in_words
from agent.version import agent_version
from shared import clock
from shared.limits import MAX_FAILURE_CHARS, MAX_INTERVAL_MS
from shared.logs import fields
from shared.model import AgentState, Snapshot
from shared.wire import encode

log = logging.getLogger(__name__)

STARTED_MS = clock.wall_ms()
"""About when this process began; it stands for the process."""
FEATURES = ("config", "enrol", "evidence")
"""What a collector may count on: the fleet's configuration is applied, tokens are renewed, logs are listened to."""


class Done(NamedTuple):
    """What one sample came to."""

    sample: HostSample | None
    """None where it failed."""
    at_s: float
    """Monotonic."""
    cpu_s: float


def sample_and_spool(
    config: AgentConfig,
    interval_s: float,
    observe: Callable[[], HostSample],
    spool: Spool,
    steered: Steered = UNSTEERED,
) -> Done:
    """Blocking. A sample that fails is spooled too, with its reason: blind is not silent.

    Neither a disk that fails nor a mistake of ours is a reason to stop looking.
    """
    taken_at_ms, uptime_ms, at_s, spent_s = clock.wall_ms(), clock.uptime_ms(), clock.monotonic_s(), cpu_s()
    outcome: HostSample | str
    try:
        outcome = observe()
    except (DumpError, SamplingFailed, UnknownNamespace) as error:
        outcome = str(error)
        log.warning("no sample", extra=fields(why=outcome))
    except Exception as error:
        outcome = f"a fault of the agent: {type(error).__name__}: {error}"[:MAX_FAILURE_CHARS]
        log.exception("no sample")

    state = AgentState(
        started_ms=STARTED_MS,
        cpu_ms=round(time.process_time() * 1000),
        dropped=spool.dropped,
        revision=steered.revision,
        failed=steered.failed,
        why=in_words(steered.why),
        features=FEATURES,
    )

    def encoded(seq: int) -> bytes:
        mark = Mark(spool.stream_id, seq, taken_at_ms, interval_s, uptime_ms)
        return encode(replace(snapshot_of(config, outcome, mark), state=state))

    try:
        seq = spool.put(encoded, taken_at_ms)
    except SpoolUnusable as error:
        log.error("a snapshot is lost", extra=fields(why=str(error)))  # noqa: TRY400 - foreseen: no traceback
    else:
        log.debug("sampled", extra=fields(seq=seq))
    return Done(outcome if isinstance(outcome, HostSample) else None, at_s, cpu_s() - spent_s)


class Mark(NamedTuple):
    """What sets one snapshot of a host apart from all others, and when it was taken."""

    boot_id: str
    seq: int
    taken_at_ms: int
    interval_s: float
    """After how long the next one is to be expected."""
    uptime_ms: int
    """The same instant as `taken_at_ms`, on the clock that nobody sets."""


def snapshot_of(config: AgentConfig, outcome: HostSample | str, mark: Mark) -> Snapshot:
    """The sample, or the reason why there is none, as what travels."""
    seen = outcome if isinstance(outcome, HostSample) else None
    return Snapshot(
        host=config.host,
        boot_id=mark.boot_id,
        seq=mark.seq,
        taken_at_ms=mark.taken_at_ms,
        agent_version=agent_version(),
        interval_ms=min(MAX_INTERVAL_MS, max(1, round(mark.interval_s * 1000))),
        labels=config.all_labels,
        namespaces=tuple(one.namespace for one in seen.summaries) if seen else (),
        readings=seen.readings if seen else (),
        unreadable=seen.unreadable if seen else (),
        evidence=seen.evidence if seen else (),
        failure=outcome if isinstance(outcome, str) else None,
        machine_id=machine_id(),
        uptime_ms=mark.uptime_ms,
    )

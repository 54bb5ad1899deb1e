"""What becomes of a rollout, given how its hosts fare: it goes on, waits, or halts. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from collector.alerts.where import Place
from collector.fleet.host import Host, Presence
from collector.rollout.plan import Rollout, State, share

WATCHED = 200
"""Besides canaries so many are compared with how they were before; of all others only failures to apply count."""
CPU_OVER_MS = 30_000
"""CPU time is judged over at least so long: a fresh sampler works more at first."""
MOST_BEHIND = 0.1
"""Of the hosts that report, this share may be behind when the next step begins; never a canary."""


def place_of(host: Host) -> Place:
    """The host as a plan sees it."""
    return Place(host=host.name, role=host.role or "", labels=host.labels)


def step(rollout: Rollout, fleet: Sequence[Host], now_ms: int) -> Rollout:
    """The rollout after a look at the fleet."""
    if rollout.state is not State.RUNNING:
        return rollout
    reached = [host for host in fleet if rollout.has_reached(place_of(host))]
    canaries = [host for host in reached if host.name in rollout.plan.canaries]
    others = sorted((host for host in reached if host not in canaries), key=lambda host: share(host.name, rollout.id))
    watched = [*canaries, *others[:WATCHED]]
    fresh = {host.name: _before(host, now_ms) for host in watched if host.name not in rollout.baseline}
    rollout = replace(rollout, baseline={**rollout.baseline, **fresh}) if fresh else rollout
    why = next(filter(None, (trouble(rollout, host, now_ms) for host in reached)), "")
    if why:
        return replace(rollout, state=State.HALTED, why=why)
    if now_ms - rollout.step_ms < rollout.plan.bake_s * 1000 or not _has_arrived(rollout, canaries, others, now_ms):
        return rollout
    if rollout.step == len(rollout.plan.steps):
        return replace(rollout, state=State.DONE, step_ms=now_ms)
    return replace(rollout, step=rollout.step + 1, step_ms=now_ms)


def trouble(rollout: Rollout, host: Host, now_ms: int) -> str:  # noqa: PLR0911 - one line a reason
    """Why this host says that the rollout must not go on; empty where it does not."""
    told, before = host.state or {}, rollout.baseline.get(host.name)
    if told.get("failed") == rollout.id:
        return f"{host.name} does not use it: {told.get('why')}"
    if before is None:
        return ""
    presence = host.presence(now_ms)
    if presence is not Presence.REPORTING and not before["mute"]:
        return f"{host.name} has gone {presence}" + (f": {host.failure}" if presence is Presence.BLIND else "")
    if not told or before["mute"]:
        return ""
    if told["started_ms"] != before["started_ms"]:
        return f"{host.name} was restarted"
    if told["dropped"] > before["dropped"]:
        return f"{host.name} dropped {told['dropped'] - before['dropped']} snapshots"
    span_ms, spent_ms = host.latest_taken_ms - before["taken_ms"], host.cpu_ms - before["cpu_ms"]
    if span_ms >= CPU_OVER_MS and spent_ms > rollout.plan.most_cpu_share * span_ms:
        return f"{host.name} takes {spent_ms / span_ms:.3f} of a core, more than {rollout.plan.most_cpu_share:g}"
    return ""


def has_applied(rollout: Rollout, host: Host) -> bool:
    """Whether it is in force there, or a later one is."""
    return bool(host.state and host.state["revision"] >= rollout.id)


def _has_arrived(rollout: Rollout, canaries: Sequence[Host], others: Sequence[Host], now_ms: int) -> bool:
    if not all(has_applied(rollout, host) for host in canaries):
        return False
    heard = [host for host in others if host.presence(now_ms) is Presence.REPORTING]
    behind = sum(not has_applied(rollout, host) for host in heard)
    return behind <= MOST_BEHIND * len(heard)


def _before(host: Host, now_ms: int) -> dict[str, int]:
    told = host.state or {}
    return {
        "started_ms": told.get("started_ms", 0),
        "dropped": told.get("dropped", 0),
        "cpu_ms": host.cpu_ms,
        "taken_ms": host.latest_taken_ms,
        "mute": int(host.presence(now_ms) is not Presence.REPORTING or not told),
    }

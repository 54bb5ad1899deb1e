"""What becomes of a rollout, given how its hosts fare: it goes on, waits, or halts. Pure.

A host that falls silent is neither good nor bad news: a collector whose disk is slow hears of nobody for some seconds.
The rollout waits for it, and halts only once the silence has lasted.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from collector.alerts.where import Place
from collector.alerts.words import duration
from collector.fleet.host import Host, Presence, patience_ms
from collector.rollout.plan import Rollout, State, share

WATCHED = 200
"""Besides canaries so many are compared with how they were before; of all others only failures to apply count."""
CPU_OVER_MS = 30_000
"""CPU time is judged over at least so long: a fresh sampler works more at first."""
MOST_BEHIND = 0.1
"""Of the hosts that report, this share may be behind when the next step begins; never a canary."""
SILENCE_HALTS_MS = 60_000
"""A silence that has lasted so much longer than the host's patience is the revision's fault, for all one knows."""


def place_of(host: Host) -> Place:
    """The host as a plan sees it."""
    return Place(host=host.name, role=host.role or "", labels=host.labels)


def step(rollout: Rollout, fleet: Sequence[Host], now_ms: int, *, listening_ms: int = 0) -> Rollout:
    """The rollout after a look at the fleet. `listening_ms`: since when the collector can have heard of anybody."""
    if rollout.state is not State.RUNNING:
        return rollout
    reached = _reached(rollout, fleet)
    fresh = {host.name: _before(host, now_ms) for host in _unmarked(rollout, reached, now_ms)}
    rollout = replace(rollout, baseline={**rollout.baseline, **fresh}) if fresh else rollout
    why = next(filter(None, (trouble(rollout, host, now_ms, listening_ms) for host in reached)), "")
    if why:
        return replace(rollout, state=State.HALTED, why=why)
    if _awaited(rollout, reached, now_ms):
        return rollout
    if rollout.step == len(rollout.plan.steps):
        return replace(rollout, state=State.DONE, step_ms=now_ms)
    return replace(rollout, step=rollout.step + 1, step_ms=now_ms)


def trouble(rollout: Rollout, host: Host, now_ms: int, listening_ms: int) -> str:  # noqa: PLR0911 - a line a reason
    """Why this host says that the rollout must not go on; empty where it does not."""
    told, before = host.state or {}, rollout.baseline.get(host.name)
    if told.get("failed") == rollout.id:
        return f"{host.name} does not use it: {told.get('why')}"
    if before is None or before["mute"]:
        return ""
    presence, heard_ms = host.presence(now_ms), max(host.latest_received_ms, listening_ms)
    if presence is Presence.BLIND:
        return f"{host.name} has gone blind: {host.failure}"
    if presence is Presence.SILENT and now_ms - heard_ms > patience_ms(host.interval_ms) + SILENCE_HALTS_MS:
        return f"{host.name} has gone silent: not heard of {_since(host)}"
    if not told:
        return ""
    if told["started_ms"] != before["started_ms"]:
        return f"{host.name} was restarted"
    if told["dropped"] > before["dropped"]:
        return f"{host.name} dropped {told['dropped'] - before['dropped']} snapshots"
    span_ms, spent_ms = host.latest_taken_ms - before["taken_ms"], host.cpu_ms - before["cpu_ms"]
    if span_ms >= CPU_OVER_MS and spent_ms > rollout.plan.most_cpu_share * span_ms:
        return f"{host.name} takes {spent_ms / span_ms:.3f} of a core, more than {rollout.plan.most_cpu_share:g}"
    return ""


def waits_for(rollout: Rollout, fleet: Sequence[Host], now_ms: int) -> str:
    """What has to come before it goes on, as in `lb1: silent since …`; empty where it does not run."""
    return _awaited(rollout, _reached(rollout, fleet), now_ms) if rollout.state is State.RUNNING else ""


def has_applied(rollout: Rollout, host: Host) -> bool:
    """Whether it is in force there, or a later one is."""
    return bool(host.state and host.state["revision"] >= rollout.id)


def _reached(rollout: Rollout, fleet: Sequence[Host]) -> list[Host]:
    """Canaries first, then the others in the order of their hash."""
    reached = [host for host in fleet if rollout.has_reached(place_of(host))]
    return sorted(reached, key=lambda host: (not _is_canary(rollout, host), share(host.name, rollout.id)))


def _is_canary(rollout: Rollout, host: Host) -> bool:
    return host.name in rollout.plan.canaries


def _unmarked(rollout: Rollout, reached: Sequence[Host], now_ms: int) -> list[Host]:
    """Whom to watch from now on. Of a host that is silent nothing can be noted before it is heard."""
    watched = reached[: WATCHED + sum(_is_canary(rollout, host) for host in reached)]
    fresh = [host for host in watched if host.name not in rollout.baseline]
    return [host for host in fresh if host.presence(now_ms) is not Presence.SILENT]


def _before(host: Host, now_ms: int) -> dict[str, int]:
    told = host.state or {}
    return {
        "started_ms": told.get("started_ms", 0),
        "dropped": told.get("dropped", 0),
        "cpu_ms": host.cpu_ms,
        "taken_ms": host.latest_taken_ms,
        "mute": int(host.presence(now_ms) is not Presence.REPORTING or not told),
    }


def _awaited(rollout: Rollout, reached: Sequence[Host], now_ms: int) -> str:
    silent = _silent(rollout, reached, now_ms)
    if silent:
        return f"{_first(silent)}: silent {_since(silent[0])}"
    missing = sorted(set(rollout.plan.canaries) - {host.name for host in reached})
    if missing:  # A name misspelt would be no gate at all.
        return f"{missing[0]}: no host of this name that it is for has reported"
    behind = _behind(rollout, reached, now_ms)
    if behind:
        return f"{_first(behind)}: not in force there yet"
    left_ms = rollout.step_ms + rollout.plan.bake_s * 1000 - now_ms
    return f"the end of its bake, in {duration(round(left_ms))}" if left_ms > 0 else ""


def _silent(rollout: Rollout, reached: Sequence[Host], now_ms: int) -> list[Host]:
    """Of those that are watched, and spoke when they were given it."""
    watched = [host for host in reached if not rollout.baseline.get(host.name, {"mute": 1})["mute"]]
    return [host for host in watched if host.presence(now_ms) is Presence.SILENT]


def _behind(rollout: Rollout, reached: Sequence[Host], now_ms: int) -> list[Host]:
    """Canaries that do not have it yet; or else others that report, where too many do not."""
    canaries = [host for host in reached if _is_canary(rollout, host) and not has_applied(rollout, host)]
    others = [host for host in reached if not _is_canary(rollout, host)]
    heard = [host for host in others if host.presence(now_ms) is Presence.REPORTING]
    late = [host for host in heard if not has_applied(rollout, host)]
    return canaries or (late if len(late) > MOST_BEHIND * len(heard) else [])


def _since(host: Host) -> str:
    at = datetime.fromtimestamp(host.latest_received_ms / 1000, UTC)
    return f"since {at:%Y-%m-%d %H:%M:%S} UTC"


def _first(hosts: Sequence[Host]) -> str:
    """`lb1`, or `lb1 and 3 more`."""
    return hosts[0].name + (f" and {len(hosts) - 1} more" if len(hosts) > 1 else "")

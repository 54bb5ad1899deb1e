"""The rules that watch where nobody wrote any: right for most fleets as they stand. Pure."""

from collector.alerts.conditions import (
    BLIND,
    CLOCK,
    CONTESTED,
    DRIFT,
    FAILURES,
    HALTED,
    OCCUPANCY,
    PRESSED,
    SHARE_ABOVE,
    SILENT,
    SPENT_SOON,
    UNDELIVERED,
    Scope,
)
from collector.alerts.rules import PAGE, PLAN, Rule
from collector.alerts.where import Where
from shared.model import Kind

BUILT_IN = (
    # From half on no port may be left at an even offset, and each connect() walks half the range in vain. Bursts of a
    # few seconds are a proxy's daily life, so it has to last for three reports of the default interval.
    Rule(name="pool-half-full", severity=PLAN, raise_at=0.50, clear_at=0.45, hold_s=30.0),
    # The rest can go within seconds when a backend stalls: waiting to be sure would spend the only time there is.
    Rule(name="pool-nearly-full", severity=PAGE, raise_at=0.85, clear_at=0.75),
    # Time for a person to wake and to act. Twice as much before it is taken back: forecasts breathe.
    # A forecast brings its own evidence, and a burst leaves no time to wait for more.
    Rule(name="pool-spent-soon", severity=PAGE, condition=SPENT_SOON.name, raise_at=900.0, clear_at=1_800.0),
    # The outage itself. Failures come in bursts, so it stays for a while after the last.
    Rule(name="connect-failed", severity=PAGE, condition=FAILURES.name, raise_at=1.0, keep_s=60.0),
    # One pool for all destinations: nothing that is done about backends helps, so there is less time.
    Rule(
        name="bind-pool-filling",
        severity=PAGE,
        condition=OCCUPANCY.name,
        raise_at=0.70,
        clear_at=0.60,
        hold_s=20.0,
        where=Where(kind=(Kind.BIND.value,)),
    ),
    # Three intervals without a report, and half a minute more for a restart.
    Rule(name="host-silent", severity=PAGE, subject=Scope.HOST.value, condition=SILENT.name, hold_s=30.0),
    Rule(name="agent-blind", severity=PLAN, subject=Scope.HOST.value, condition=BLIND.name, hold_s=60.0),
    # Readings are now of the one machine, now of the other: nothing that is told of the host can be believed.
    Rule(name="host-contested", severity=PLAN, subject=Scope.HOST.value, condition=CONTESTED.name),
    # Rules go by receive time and do not mind; history is drawn by the host's clock, and lies.
    Rule(
        name="clock-wrong",
        severity=PLAN,
        subject=Scope.HOST.value,
        condition=CLOCK.name,
        raise_at=60.0,
        clear_at=30.0,
        hold_s=60.0,
    ),
    # A change that everybody got: single pools look harmless while the whole fleet rises.
    Rule(
        name="fleet-filling",
        severity=PLAN,
        subject=Scope.FLEET.value,
        condition=SHARE_ABOVE.name,
        level=0.50,
        raise_at=0.10,
        clear_at=0.05,
        hold_s=60.0,
    ),
    # Many hosts at once towards one backend: the backend is slow, not the hosts.
    Rule(
        name="backend-pressed",
        severity=PAGE,
        subject=Scope.PEER.value,
        condition=PRESSED.name,
        level=0.70,
        raise_at=5.0,
        clear_at=3.0,
        hold_s=20.0,
    ),
    # Whoever has fewer ports than its like will be the first to run out; a rollout takes minutes.
    Rule(name="role-drift", severity=PLAN, subject=Scope.HOST.value, condition=DRIFT.name, hold_s=600.0),
    # Told through the other channels.
    Rule(
        name="channel-failing",
        severity=PAGE,
        subject=Scope.CHANNEL.value,
        condition=UNDELIVERED.name,
        raise_at=60.0,
        clear_at=1.0,
    ),
    # Whoever started it may be looking elsewhere, and it goes neither on nor back without a person.
    Rule(name="rollout-halted", severity=PLAN, subject=Scope.ROLLOUT.value, condition=HALTED.name),
)

"""What goes wrong in the fleet, one thing after another, and how portgauge takes it.

Each fault is a function: it breaks something, waits until it was detected, named and notified, mends it, and waits
until nobody is told of it any more. What is waited for is what people and programs see: the API's answers, and what
Alertmanager holds as firing.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.fleet.balancer import OWN_BACKEND, Balancer
from tests.fleet.ground import SETTINGS, Ground, TookTooLong, is_calm, until
from tests.fleet.outcome import Outcome
from tests.fleet.wires import BACKEND_PORT, BACKENDS
from tests.netns import end

LEAKED = 90
BAKE = "2s"
LONG_BAKE = "1m"
"""CPU is judged over half a minute: a shorter bake would be over before."""
GREEDY = "interval_s = 0.05\ncpu_share = 0.5\n"
MOST_CPU_SHARE = "0.02"
"""Of one core. At a sample a second agents take less than a hundredth; at twenty some five hundredths and more."""
Conditions = Mapping[str, Callable[[], bool]]
"""By the stage that is reached once it holds."""


class Clock:
    """The seconds since a fault, and what it came to."""

    def __init__(self, fault: str) -> None:
        self.outcome = Outcome(fault)
        self._began_s = time.monotonic()

    def watch(self, stages: Conditions) -> None:
        """Until every stage was reached, each noted when it was first seen. Raises TookTooLong."""
        waiting = dict(stages)

        def look() -> bool:
            for stage, holds in stages.items():
                if stage not in waiting:
                    continue
                if holds():
                    self.outcome.at_s[stage] = self._elapsed_s()
                    del waiting[stage]
                elif stage == "detected":
                    break  # What comes after it in order cannot have come before it: it came since we asked.
            return not waiting

        try:
            until(look, "")
        except TookTooLong as late:
            raise TookTooLong(f"not {', '.join(waiting)}") from late

    def over(self) -> None:
        """The fault is mended."""
        self.outcome.over_s = self._elapsed_s()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s


@contextmanager
def clocked(fault: str) -> Iterator[Clock]:
    """From the fault on. What does not come in time is noted, and the story goes on."""
    clock = Clock(fault)
    try:
        yield clock
    except TookTooLong as late:
        clock.outcome.missing = str(late)


def a_backend_slows_down(on: Ground) -> Outcome:
    """Behind every load balancer at once: connections pile up towards it, and it is one incident."""
    backend = f"{BACKENDS[0]}:{BACKEND_PORT}"
    cause = f"backend {backend}"
    with clocked("one backend slows down, fleet-wide") as clock:
        on.backend_is(0, "slow")
        try:
            clock.watch(
                {
                    "detected": lambda: bool(_hosts_towards(on, BACKENDS[0])),
                    "named": lambda: _hosts_towards(on, BACKENDS[0]) == on.names,
                    "notified": lambda: _paged(on) == {cause},
                }
            )
            clock.outcome.named = f"{cause}, {len(on.names)} hosts, one incident"
        finally:
            on.backend_is(0, "quick")
            clock.over()
        clock.watch({"recovered": lambda: is_calm(on)})
    return clock.outcome


def a_host_leaks(on: Ground) -> Outcome:
    """An application on one machine closes nothing; the others have the same backend, each its own, and are calm."""
    host = on.balancers[0]
    with clocked("one host leaks connections") as clock:
        leaking = host.leak(LEAKED)
        try:
            clock.watch(_leak_is_told(on, host))
            clock.outcome.named = _cause_of_leak(host)
        finally:
            end([leaking])
            clock.over()
        clock.watch({"recovered": lambda: is_calm(on)})
    return clock.outcome


def a_host_is_cut_off(on: Ground) -> Outcome:
    """Its cable is pulled, and put in again; what it saw meanwhile arrives late and whole."""
    host = on.balancers[-1]
    with clocked("one host partitioned, and back") as clock:
        on.switch.turn(host.port, "down")
        try:
            clock.watch(
                {
                    "detected": lambda: _silent(on) == {host.name},
                    "named": lambda: _hosts_firing(on, "host-silent") == {host.name},
                    "notified": lambda: any(f"{host.name} was last heard of" in one for one in _summaries(on)),
                }
            )
            clock.outcome.named = f"{host.name} silent"
        finally:
            on.switch.turn(host.port, "up")
            clock.over()
        clock.watch({"recovered": lambda: is_calm(on) and _is_whole(on)})
    return clock.outcome


def the_collector_is_killed(on: Ground) -> Outcome:
    """Under load, and a host begins to leak while it is away: that is told when it is back, and no snapshot is lost."""
    host = on.balancers[0]
    with clocked("collector killed and started again, a host leaks meanwhile") as clock:
        logged = {one.name: one.agent_log.stat().st_size for one in on.balancers}
        on.centre.kill()
        leaking = host.leak(LEAKED)
        try:
            try:
                clock.watch({"detected": lambda: all(_misses_it(one, logged[one.name]) for one in on.balancers)})
            finally:
                on.centre.start()
                clock.over()
            told = _leak_is_told(on, host)
            clock.watch({stage: told[stage] for stage in ("named", "notified")})
            clock.outcome.named = f"{_cause_of_leak(host)}; no snapshot lost"
        finally:
            end([leaking])
        clock.watch({"recovered": lambda: is_calm(on) and _is_whole(on)})
    return clock.outcome


def a_revision_does_not_fit(on: Ground) -> Outcome:
    """It fits one canary and not the other: it halts, nobody else is given it, and an abort takes it back."""
    canaries = (on.balancers[0], on.picky)
    with clocked("a revision rolled out that a canary refuses") as clock:
        number = _roll_out(on, f'{SETTINGS}[labels]\nshift = "night"\nwave = "2"\n', canaries, BAKE)
        _until_halted_and_aborted(on, clock, number, canaries, f"{on.picky.name} does not use it")
    return clock.outcome


def a_revision_works_badly(on: Ground) -> Outcome:
    """Every host would take it, and samples succeed; but the agent works far too much. The canary shows it."""
    canary = on.balancers[0]
    with clocked("a revision rolled out under which agents work too much") as clock:
        number = _roll_out(on, GREEDY, (canary,), LONG_BAKE, "--most-cpu-share", MOST_CPU_SHARE)
        _until_halted_and_aborted(on, clock, number, (canary,), f"{canary.name} takes ")
    return clock.outcome


FAULTS = (
    a_backend_slows_down,
    a_host_leaks,
    a_host_is_cut_off,
    the_collector_is_killed,
    a_revision_does_not_fit,
    a_revision_works_badly,
)


def _roll_out(on: Ground, settings: str, canaries: Sequence[Balancer], bake: str, *options: str) -> int:
    named = [part for canary in canaries for part in ("--canary", canary.name)]
    return on.centre.roll_out(on.directory / "bad.toml", settings, *named, *options, bake=bake)


def _until_halted_and_aborted(on: Ground, clock: Clock, number: int, canaries: Sequence[Balancer], why: str) -> None:
    """Until it has halted for this reason with nobody but canaries having it, was told, and every host is back."""
    names = {one.name for one in canaries}
    try:
        clock.watch(
            {
                "detected": lambda: _rollout(on)["state"] == "halted",
                "named": lambda: _halted_because(on, why) and on.centre.having(number) <= names,
                "notified": lambda: any(f"rollout {number}" in one for one in _summaries(on)),
            }
        )
        in_force = ", ".join(sorted(on.centre.having(number))) or "no host"
        clock.outcome.named = f"revision {number}: {_rollout(on)['why']}; in force on {in_force}"
    finally:
        on.centre.command("rollout", "abort", str(number))
        clock.over()
    clock.watch({"recovered": lambda: is_calm(on)})


def _leak_is_told(on: Ground, host: Balancer) -> dict[str, Callable[[], bool]]:
    return {
        "detected": lambda: host.name in _hosts_towards(on, OWN_BACKEND),
        "named": lambda: _hosts_towards(on, OWN_BACKEND) == {host.name},
        "notified": lambda: _paged(on) == {_cause_of_leak(host)},
    }


def _cause_of_leak(host: Balancer) -> str:
    return f"host {host.name}, backend {OWN_BACKEND}:{BACKEND_PORT}"


def _firing(on: Ground) -> list[dict[str, Any]]:
    return on.centre.items("/v1/alerts?state=firing")


def _hosts_towards(on: Ground, peer: str) -> set[str]:
    """Hosts of which a pool towards this backend pages."""
    return {one["host"] for one in _firing(on) if one["peer_ip"] == peer and one["severity"] == "page"}


def _hosts_firing(on: Ground, rule: str) -> set[str]:
    return {one["host"] for one in _firing(on) if one["rule"] == rule}


def _paged(on: Ground) -> set[str]:
    """The causes for which Alertmanager would wake somebody now."""
    labels = [one["labels"] for one in on.centre.notices()]
    return {one["cause"] for one in labels if one["severity"] == "page"}


def _summaries(on: Ground) -> list[str]:
    return [one["annotations"]["summary"] for one in on.centre.notices()]


def _silent(on: Ground) -> set[str]:
    return {one["host"] for one in on.centre.items("/v1/hosts") if one["state"] == "silent"}


def _is_whole(on: Ground) -> bool:
    """Whether every snapshot up to the newest of each host arrived and was counted once."""
    hosts = on.centre.items("/v1/hosts")
    return len(hosts) == len(on.names) and all(
        one["missing"] == 0 and one["received"] == one["last_seq"] for one in hosts
    )


def _misses_it(one: Balancer, since: int) -> bool:
    """Whether its agent has said, since that byte of its log, that it cannot reach the collector."""
    with one.agent_log.open() as log:
        log.seek(since)
        return "cannot be reached" in log.read()


def _halted_because(on: Ground, why: str) -> bool:
    """Whether it halted for this reason. What a busy machine halted for another is resumed, as a person would."""
    newest = _rollout(on)
    if newest["state"] != "halted":
        return False
    if not newest["why"].startswith(why):
        on.centre.command("rollout", "resume", str(newest["id"]))
        return False
    return True


def _rollout(on: Ground) -> dict[str, Any]:
    found = on.centre.items("/v1/rollouts")
    return found[0] if found else {"state": "", "why": ""}

"""Pools whose future is known: incidents that end in exhaustion, and lives that only look like it. Pure.

Each scene gives the ports held at any second, drawn with a seed, so that a forecast can be judged by what came next.
Made up, but after life: the eight-second burst, the 98-minute climb of a published incident, a leak under the day's
tide; and against them the tide alone, the sawteeth of connection churn, deploys, neighbours drained.
"""

import math
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

CAPACITY: Final = 28_232
MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
Held = Callable[[float], float]


class Scene(NamedTuple):
    """One pool from `begins_s` to `ends_s`; what happens before `judged_from_s` only teaches."""

    held: Held
    begins_s: float
    judged_from_s: float
    ends_s: float

    def spent_s(self, step_s: float = 1.0) -> float | None:
        """When the pool is first seen spent, looking every `step_s`; None where it never is."""
        at_s = self.judged_from_s
        while at_s < self.ends_s:
            if self.held(at_s) >= CAPACITY:
                return at_s
            at_s += step_s
        return None


def _tide(at_s: float, middle: float, swing: float) -> float:
    """The day's traffic, lowest at midnight, highest at noon."""
    return CAPACITY * (middle - swing * math.cos(2 * math.pi * at_s / DAY_S))


def _incident(calm: Held, rise: Held, draw: random.Random, *, hours: float) -> Scene:
    """A calm pool, and something that starts to add to it some time after ten in the morning of the third day."""
    starts_s = 2 * DAY_S + 10 * HOUR_S + draw.uniform(0, 10 * MINUTE_S)
    return Scene(
        lambda at_s: calm(at_s) + (rise(at_s - starts_s) if at_s > starts_s else 0.0),
        starts_s - 2 * HOUR_S,
        starts_s,
        starts_s + hours * HOUR_S,
    )


def _quietly(at_s: float) -> float:
    return _tide(at_s, 0.2, 0.1)


def burst(draw: random.Random) -> Scene:
    """Eight seconds: every request opens a connection, 3,500 a second."""
    return _incident(_quietly, lambda s: 3_500 * s, draw, hours=0.1)


def stall(draw: random.Random) -> Scene:
    """A backend stops answering: 250 connections a second pile up."""
    return _incident(_quietly, lambda s: 250 * s, draw, hours=0.2)


def doubling(draw: random.Random) -> Scene:
    """Retries that double every ten minutes."""
    return _incident(_quietly, lambda s: 300 * (2 ** (s / 600) - 1), draw, hours=2)


def climb_of_20_minutes(draw: random.Random) -> Scene:
    """A fast climb from a busy noon."""
    scene = _incident(lambda s: _tide(s, 0.35, 0.25), lambda s: CAPACITY * 0.45 * s / (20 * MINUTE_S), draw, hours=1)
    return scene._replace(begins_s=scene.begins_s - 2 * DAY_S)


def climb_of_98_minutes(draw: random.Random) -> Scene:
    """The published incident."""
    return _incident(_quietly, lambda s: CAPACITY * 0.78 * s / (98 * MINUTE_S), draw, hours=2)


def leak(draw: random.Random) -> Scene:
    """Connections never closed, for two days, under the tide."""
    starts_s = DAY_S + draw.uniform(0, HOUR_S)
    return Scene(
        lambda s: _tide(s, 0.30, 0.08) + CAPACITY * 0.7 * max(0.0, s - starts_s) / (2 * DAY_S), 0, starts_s, 4 * DAY_S
    )


def _week(held: Held) -> Scene:
    return Scene(held, 0.0, DAY_S, DAY_S + WEEK_S)


def tide(draw: random.Random) -> Scene:
    """From 10 % at night to 80 % by day."""
    middle = draw.uniform(0.44, 0.46)
    return _week(lambda s: _tide(s, middle, 0.35))


def sawtooth_of_20_minutes(draw: random.Random) -> Scene:
    """Something recycles its connections when they are twenty minutes old: 30 % to 80 %, over and over."""
    shift_s = draw.uniform(0, 600)
    return _week(lambda s: CAPACITY * (0.3 + 0.5 * ((s + shift_s) % 1_200) / 1_200))


def sawtooth_of_40_seconds(draw: random.Random) -> Scene:
    """The same by TIME_WAIT."""
    shift_s = draw.uniform(0, 40)
    return _week(lambda s: CAPACITY * (0.3 + 0.5 * ((s + shift_s) % 40) / 40))._replace(ends_s=2 * DAY_S)


def deploys(draw: random.Random) -> Scene:
    """Ten times a week another 20 % for half an hour, at once."""
    starts = [draw.uniform(0, DAY_S + WEEK_S) for _ in range(10)]
    return _week(lambda s: _tide(s, 0.40, 0.15) + CAPACITY * 0.2 * sum(at_s < s < at_s + 1_800 for at_s in starts))


def drains(draw: random.Random) -> Scene:
    """Twice a day a neighbour is drained within minutes: another 25 %, for an hour."""
    each = [(draw.uniform(0, DAY_S + WEEK_S), draw.uniform(120, 720)) for _ in range(14)]
    return _week(
        lambda s: _tide(s, 0.40, 0.10) + CAPACITY * 0.25 * sum(_plateau(s - at_s, ramp_s) for at_s, ramp_s in each)
    )


def _plateau(s: float, ramp_s: float) -> float:
    """0 to 1 within `ramp_s`, level until an hour has passed, and back."""
    return max(0.0, min(1.0, s / ramp_s, (HOUR_S + ramp_s - s) / ramp_s))


def noise(_: random.Random) -> Scene:
    """Level, at 55 %."""
    return _week(lambda _: CAPACITY * 0.55)


INCIDENTS: Final = {
    "burst of 8 s": burst,
    "stalled backend, 90 s": stall,
    "climb of 20 min from a busy noon": climb_of_20_minutes,
    "retries that double, 1 h": doubling,
    "climb of 98 min": climb_of_98_minutes,
    "leak of 2 days under the tide": leak,
}
LIVES: Final = {
    "level at 55 %": noise,
    "daily tide, 10–80 %": tide,
    "sawtooth of 20 min, 30–80 %": sawtooth_of_20_minutes,
    "sawtooth of 40 s, 30–80 %": sawtooth_of_40_seconds,
    "deploy steps, + 20 % for 30 min": deploys,
    "neighbours drained, + 25 % for 1 h": drains,
}


def noisy(held: float, draw: random.Random) -> int:
    """What a count at one instant says: connections come and go by themselves."""
    if held >= CAPACITY:
        return CAPACITY
    return max(0, min(CAPACITY - 1, round(held + draw.gauss(0, 1) * math.sqrt(held / 2))))


def readings(scene: Scene, until_s: float, draw: random.Random) -> Iterator[tuple[float, int]]:
    """What an agent reports: every 10 s, every 2 s once the pool is half full, and when it crosses a level."""
    at_s = scene.begins_s
    while at_s < until_s:
        held = scene.held(at_s)
        yield at_s, noisy(held, draw)
        due_s = 2.0 if held >= CAPACITY / 2 else 10.0
        if due_s > 2.0 and _level(scene.held(at_s + due_s)) > _level(held):
            due_s = next(s for s in range(1, 11) if _level(scene.held(at_s + s)) > _level(held))
        at_s += due_s


def _level(held: float) -> int:
    return sum(held >= share * CAPACITY for share in (0.5, 0.7, 0.85, 1.0))

"""Which silence of the time would have kept a notice from people."""

from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from collector.alerts.silences import Silence
from collector.alerts.subject import of_pool
from collector.alerts.where import Place, Where
from collector.replay.hush import holding_back
from tests.builders import NOON_MS, a_pool, a_reading

PLACE = Place(host="lb1", role="edge")
CASE = Case(
    rule="hot", severity="page", subject=of_pool("lb1", a_pool()), seen=Observation(a_reading(290)), seen_ms=NOON_MS
)


def a_silence(from_s: int, to_s: int, *, number: int = 1, host: str = "lb1", made_s: int | None = None) -> Silence:
    return Silence(
        id=number,
        author="ops",
        reason="upgrade",
        starts_ms=NOON_MS + from_s * 1000,
        ends_ms=NOON_MS + to_s * 1000,
        where=Where(host=(host,)),
        created_ms=NOON_MS + (from_s if made_s is None else made_s) * 1000,
    )


def held_by(*silences: Silence, since_s: int, until_s: int) -> int | None:
    found = holding_back(silences, CASE, PLACE, NOON_MS + since_s * 1000, NOON_MS + until_s * 1000)
    return found.id if found else None


def test_one_that_holds_at_that_moment_holds_it_back() -> None:
    assert held_by(a_silence(0, 60), since_s=59, until_s=59) == 1
    assert held_by(a_silence(0, 60), since_s=60, until_s=60) is None
    assert held_by(a_silence(0, 60, host="lb2"), since_s=10, until_s=10) is None


def test_an_end_is_held_back_only_where_the_beginning_was_and_nothing_was_told_in_between() -> None:
    """What still fires when a silence ends is told then, and so is its end."""
    assert held_by(a_silence(0, 60), since_s=10, until_s=50) == 1
    assert held_by(a_silence(20, 60), since_s=10, until_s=50) is None
    assert held_by(a_silence(0, 30), a_silence(40, 60, number=2), since_s=10, until_s=50) is None


def test_silences_that_follow_each_other_without_a_break_are_as_one() -> None:
    assert held_by(a_silence(0, 30), a_silence(20, 60, number=2), since_s=10, until_s=50) == 2
    assert held_by(a_silence(0, 30), a_silence(30, 60, number=2), since_s=10, until_s=50) == 2


def test_nobody_obeyed_a_silence_before_it_was_made() -> None:
    assert held_by(a_silence(0, 60, made_s=20), since_s=10, until_s=10) is None
    assert held_by(a_silence(0, 60, made_s=20), since_s=20, until_s=30) == 1

"""The past told to rules again: reports in the order they came, and time going on between them. Pure.

What `rules test` plays and what `replay` re-evaluates goes through here; the rules themselves are the watch's.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from collector.alerts.evaluate import Verdict
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from shared.model import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one host told at `at_ms` (receive time).

    `read(True)` is the whole snapshot. `read(False)` need only list pools of which a rule may have something to say;
    `pools` is how many there are then, None where it lists all the same.
    """

    at_ms: int
    place: Place
    host_id: int
    interval_ms: int
    read: Callable[[bool], Snapshot]
    pools: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What followed at one instant: from the reports that came then, or (`has_ticked`) from time going on."""

    at_ms: int
    verdicts: Sequence[Verdict]
    has_ticked: bool = False


def play(watch: Watch, reports: Iterable[Report], moments: Sequence[int]) -> Iterator[tuple[int, Verdict]]:
    """(when, verdict) of all that follows."""
    return ((one.at_ms, verdict) for one in rounds(watch, reports, moments) for verdict in one.verdicts)


def rounds(watch: Watch, reports: Iterable[Report], moments: Sequence[int]) -> Iterator[Round]:
    """Round after round. Reports, and `moments` at which time is looked at, are in order of time.

    Moments at which nothing came, and time alone can change nothing, are passed over.
    """
    coming = iter(reports)
    report, place = next(coming, None), 0
    while True:
        matters_ms = min(report.at_ms if report else math.inf, watch.rests_until_ms)
        place = bisect_left(moments, matters_ms, lo=place)
        if place == len(moments):
            return
        now_ms = moments[place]
        while report and report.at_ms <= now_ms:
            at_ms, verdicts = report.at_ms, _taken(watch, report)
            report = next(coming, None)
            while report and report.at_ms == at_ms:
                verdicts += _taken(watch, report)
                report = next(coming, None)
            yield Round(at_ms, verdicts)
        if now_ms >= watch.rests_until_ms:
            yield Round(now_ms, watch.tick(now_ms, {}), has_ticked=True)
        place += 1


def _taken(watch: Watch, report: Report) -> list[Verdict]:
    is_whole = report.pools is None or watch.needs_all(report.place.host)
    return watch.take(
        report.place,
        report.read(is_whole),
        report.interval_ms,
        report.at_ms,
        host_id=report.host_id,
        pools=None if is_whole else report.pools,
    )

"""Which silence of the time would have kept a notice from people. Pure."""

from collections.abc import Iterable

from collector.alerts.evaluate import Case
from collector.alerts.silences import Silence
from collector.alerts.where import Place


def holding_back(silences: Iterable[Silence], case: Case, place: Place, since_ms: int, until_ms: int) -> Silence | None:
    """The silence that holds at `until_ms`, where one or another held without a break since `since_ms`; else None.

    A break, however short, is enough for what still fires to be told. Nobody obeyed a silence before it was made.
    """
    meant, at_ms = [one for one in silences if one.covers(case, place)], since_ms
    while True:
        held = [one for one in meant if one.is_active(at_ms) and one.created_ms <= at_ms]
        if not held:
            return None
        longest = max(held, key=lambda one: one.ends_ms)
        if longest.ends_ms > until_ms:
            return longest
        at_ms = longest.ends_ms

"""What was seen of a subject, as a plain document that a database keeps, and back. Pure."""

from collections.abc import Mapping
from typing import Any

from collector.alerts.observe import Forecast, Observation
from shared.model import Pool, Reading
from shared.tcp import State


def document_of(seen: Observation) -> dict[str, Any]:
    """As JSON can hold it."""
    document: dict[str, Any] = {"facts": dict(seen.facts)}
    if seen.reading:
        one = seen.reading
        document |= {
            "counts": [one.held, one.capacity, one.headroom_min, one.headroom_max, one.failures],
            "states": {state.name: count for state, count in one.states.items()},
            "owner": one.owner,
            "knee": one.knee,
            "recyclable": one.recyclable,
            "is_bound": seen.is_bound,
        }
    if seen.forecast and seen.forecast.seconds != float("inf"):
        document["forecast"] = [seen.forecast.seconds, seen.forecast.rate_per_s]
    return document


def observation_of(document: Mapping[str, Any], pool: Pool | None) -> Observation:
    """The document as it was before."""
    if pool is None or "counts" not in document:
        return Observation(facts=document.get("facts", {}))
    held, capacity, low, high, failures = document["counts"]
    states = {State[name]: count for name, count in document["states"].items()}
    # What the version before wrote down tells nothing of what can be recycled.
    recyclable = document.get("recyclable", 0)
    owner, knee = document["owner"], document["knee"]
    reading = Reading(pool, held, capacity, low, high, states, failures, owner, knee, recyclable)
    forecast = Forecast(*document["forecast"]) if "forecast" in document else None
    return Observation(reading, document["is_bound"], forecast)

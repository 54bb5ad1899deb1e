"""The agent's own state, as a map of the wire: `started_ms cpu_ms dropped revision failed why features`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from shared import limits
from shared.model import AgentState
from shared.wire.errors import Malformed

STATE = "state"
_NAMES = tuple(one.name for one in fields(AgentState))
_NUMBERS = {"started_ms": limits.MAX_TIME_MS, "cpu_ms": limits.MAX_TIME_MS, "dropped": limits.MAX_SEQ}
_NUMBERS |= {"revision": limits.MAX_COUNT, "failed": limits.MAX_COUNT}


def document_of(state: AgentState) -> dict[str, Any]:
    """The state as the map that is packed, within the bounds."""
    told = {name: getattr(state, name) for name in _NAMES}
    return told | {"why": state.why[: limits.MAX_FAILURE_CHARS], "features": list(state.features)}


def state_of(document: Mapping[str, Any]) -> AgentState | None:
    """The state in a document; None where it says nothing of it, as older agents do. Raises Malformed."""
    told = document.get(STATE)
    if told is None:
        return None
    if not isinstance(told, dict):
        raise Malformed(STATE, "a map is needed")
    known = {name: told[name] for name in _NAMES if name in told}
    for name, most in _NUMBERS.items():
        value = known.get(name, 0)
        if type(value) is not int or not 0 <= value <= most:
            raise Malformed(f"{STATE}.{name}", f"an integer from 0 to {most} is needed")
    if not _is_text(known.get("why", ""), limits.MAX_FAILURE_CHARS):
        raise Malformed(f"{STATE}.why", f"printable text of at most {limits.MAX_FAILURE_CHARS} characters is needed")
    features = known.get("features", [])
    if not isinstance(features, list) or len(features) > limits.MAX_FEATURES or not all(map(_is_name, features)):
        raise Malformed(f"{STATE}.features", f"a list of at most {limits.MAX_FEATURES} names is needed")
    return AgentState(**{**known, "features": tuple(features)})


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and value.isprintable()


def _is_name(value: object) -> bool:
    return _is_text(value, limits.MAX_NAME_CHARS)

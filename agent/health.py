"""Whether the agent does its work: for systemd's watchdog, for /healthz and for people. Pure."""

from agent.tallies import Samplings

LATE_S = 30.0
"""The loop may come round so much later than it meant to: a huge table, a starved CPU."""
MISSED = 3
"""A host is not measured any more when so many intervals passed without a sample that succeeded."""


def is_stuck(samplings: Samplings, now_s: float) -> bool:
    """Whether the sampling loop hangs; `now_s` is monotonic. One that has not begun does not."""
    return samplings.back_by_s is not None and now_s > samplings.back_by_s + LATE_S


def trouble(samplings: Samplings, now_s: float, interval_s: float) -> str:
    """Why this host is not measured as it should be; empty where it is. `now_s` is monotonic.

    Measured against `interval_s`, or against what the CPU share leaves of it.
    """
    if is_stuck(samplings, now_s):
        return "the sampling loop hangs"
    age_s = samplings.age_s(now_s)
    if age_s is None:
        return "every sample failed so far" if samplings.failed else "no sample was taken yet"
    if age_s > MISSED * max(interval_s, samplings.interval_s) + LATE_S:
        return f"the last sample that succeeded is {age_s:.0f} s old"
    return ""


def in_a_line(samplings: Samplings, now_s: float, waiting: int) -> str:
    """How it goes, for a person; `waiting` is how many snapshots the collector has not taken yet."""
    age_s = samplings.age_s(now_s)
    sent = f"{waiting} snapshots wait for the collector" if waiting else "all sent"
    if age_s is None:
        return f"no sample succeeded yet, {samplings.failed} failed; {sent}"
    seen = f"{samplings.sockets} sockets in {samplings.pools} pools of {samplings.namespaces} network namespaces"
    return f"{seen}, {age_s:.0f} s ago; {sent}"

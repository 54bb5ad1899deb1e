"""The same snapshot in fewer bytes: the fullest pools one by one, the others as sums of their namespace. Pure.

Not two snapshots: one says all of a host at one instant, and a pool that the newest does not list is gone.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.model import Namespace, Reading, Remainder, Snapshot
from shared.wire import WireError, decode, encode


def abridged(body: bytes, most_bytes: int) -> bytes | None:
    """The snapshot of `body` in at most that many bytes; None where that cannot be. Its name, (host, boot, seq), stays.

    Pools with failures come first, then the fullest.
    """
    if len(body) <= most_bytes:
        return body
    try:
        snapshot = decode(body)
    except WireError:
        return None
    ranked = sorted(snapshot.readings, key=lambda one: (one.failures > 0, one.occupancy, one.held), reverse=True)
    keep = len(ranked) * most_bytes // len(body)
    while True:
        shorter = encode(_with(snapshot, ranked[:keep], ranked[keep:]))
        if len(shorter) <= most_bytes:
            return shorter
        if not keep:
            return None
        keep //= 2


def _with(snapshot: Snapshot, listed: Sequence[Reading], summed: Sequence[Reading]) -> Snapshot:
    spaces = tuple(
        _adding(space, [one for one in summed if one.pool.netns == space.name]) for space in snapshot.namespaces
    )
    chosen = {one.pool for one in listed}
    readings = tuple(one for one in snapshot.readings if one.pool in chosen)
    return replace(snapshot, namespaces=spaces, readings=readings)


def _adding(space: Namespace, readings: Sequence[Reading]) -> Namespace:
    rest = space.remainder
    held = [one.held for one in readings]
    sums = Remainder(rest.pools + len(held), rest.held + sum(held), max(rest.max_held, *held, 0))
    return replace(space, remainder=sums)

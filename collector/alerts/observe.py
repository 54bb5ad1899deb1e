"""What a snapshot says of one pool, listed in it or not. Pure."""

from dataclasses import dataclass

from shared.model import Namespace, Pool, Reading, Snapshot


@dataclass(frozen=True, slots=True)
class Observation:
    """A reading; with `is_bound`, `held` is only known not to be exceeded, because the pool was not listed."""

    reading: Reading
    is_bound: bool = False


def observe(snapshot: Snapshot, pool: Pool) -> Observation | None:
    """The pool in this snapshot; None where the snapshot cannot tell: it failed, or has no such namespace."""
    listed = next((reading for reading in snapshot.readings if reading.pool == pool), None)
    return Observation(listed) if listed else infer_unlisted(snapshot, pool)


def infer_unlisted(snapshot: Snapshot, pool: Pool) -> Observation | None:
    """What is known of a pool that the snapshot does not list: the remainder of its namespace bounds it."""
    if snapshot.failure is not None:
        return None
    namespace = next((item for item in snapshot.namespaces if item.name == pool.netns), None)
    return _bounded(namespace, pool) if namespace else None


def _bounded(namespace: Namespace, pool: Pool) -> Observation:
    if namespace.remainder.pools == 0:
        return Observation(Reading(pool, 0, namespace.capacity, namespace.capacity, namespace.capacity))
    most, capacity = min(namespace.remainder.max_held, namespace.capacity), namespace.capacity
    return Observation(Reading(pool, most, capacity, capacity - most, capacity), is_bound=True)

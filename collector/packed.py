"""A body of the log as it was packed: opened in C, its columns as they came, no object a pool. Pure.

Bodies come from the log: they were checked in full when they were received, and are not checked again.
"""

from collections.abc import Sequence

import msgspec

from shared import wire
from shared.model import Namespace, Pool, Remainder, Snapshot, Unreadable
from shared.ports import PortRange
from shared.wire import v1


class PackedNamespace(msgspec.Struct):
    """A namespace, without its totals and claims."""

    name: str
    inode: int
    range: tuple[int, int]
    reserved: int
    blocked: int
    settings: dict[str, int]
    remainder: tuple[int, int, int]


class Packed(msgspec.Struct):
    """What a body tells, by the keys of the wire; the list of its pools is passed over."""

    schema: int
    host: str
    boot_id: str
    seq: int
    taken_at_ms: int
    interval_ms: int
    agent: str
    labels: dict[str, str]
    failure: str | None
    namespaces: list[PackedNamespace]
    identities_hash: bytes
    columns: dict[str, bytes]
    owners: list[str] = []
    unreadable: list[tuple[int, str]] = []
    evidence: msgspec.Raw = msgspec.Raw()

    @property
    def listed(self) -> Sequence[Pool] | None:
        """The pools, row by row; None where their list was not read before by this process."""
        return wire.remembered_pools(self.identities_hash, tuple(one.name for one in self.namespaces))

    @property
    def settings(self) -> tuple[object, ...] | None:
        """What a host can drift in, of its agent's own namespace (`survey.DRIFTING`); None where it is not known."""
        if not self.namespaces:
            return None
        own = self.namespaces[0]
        return (f"{own.range[0]}–{own.range[1]}", own.reserved, own.settings.get("tcp_tw_reuse"))


_DECODER = msgspec.msgpack.Decoder(Packed)


def opened(body: bytes) -> Packed | None:
    """What it tells; None where it must be read in full."""
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.schema == v1.SCHEMA else None


def part_of(found: Packed, rows: Sequence[int]) -> Snapshot | None:
    """The snapshot with the readings of these rows; None where it must be read in full.

    Left out are the namespaces' totals and claims, the host's evidence, and the agent's state.
    """
    pools = found.listed
    if pools is None:
        return None
    return Snapshot(
        host=found.host,
        boot_id=found.boot_id,
        seq=found.seq,
        taken_at_ms=found.taken_at_ms,
        agent_version=found.agent,
        interval_ms=found.interval_ms,
        labels=found.labels,
        namespaces=tuple(map(namespace_of, found.namespaces)),
        readings=v1.readings_of(pools, found.columns, ["", *found.owners], rows),
        unreadable=tuple(Unreadable(*one) for one in found.unreadable),
    )


def namespace_of(found: PackedNamespace) -> Namespace:
    """As rules and sums look at it."""
    return Namespace(
        name=found.name,
        inode=found.inode,
        port_range=PortRange(*found.range),
        reserved=found.reserved,
        blocked=found.blocked,
        settings=found.settings,
        remainder=Remainder(*found.remainder),
    )

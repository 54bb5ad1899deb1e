"""One transaction's worth of arrivals: appended, counted, duplicates told apart."""

from collections.abc import Sequence

from collector.fleet.host import Arrival, Boot, Host
from collector.storage import hosts, hot
from collector.storage.database import AsyncConnection


async def record(db: AsyncConnection, arrivals: Sequence[Arrival]) -> list[bool]:
    """Append the arrivals in their order. Answers for each whether it was there already."""
    await hot.take_turn(db)
    known = await hosts.ensure(db, {arrival.snapshot.host for arrival in arrivals})
    keys = {arrival.key: _key(known, arrival) for arrival in arrivals}
    present = await hot.present(db, keys.values())
    boots = await hosts.boots(db, {key[:2] for key in keys.values()})
    batch = _Batch(known, boots, present)
    duplicates = [batch.add(arrival) for arrival in arrivals]
    ids = await hot.append(db, batch.entries)
    batch.place(ids)
    await hosts.save(db, batch.hosts.values())
    await hosts.save_boots(db, boots, batch.changed_boots, max(arrival.received_ms for arrival in arrivals))
    return duplicates


def _key(known: dict[str, Host], arrival: Arrival) -> hot.Key:
    host, boot_id, seq = arrival.key
    return (known[host].id, boot_id, seq)


class _Batch:
    """Hosts and boots as they become, arrival by arrival, and the rows to append."""

    def __init__(self, known: dict[str, Host], boots: dict[hosts.BootKey, Boot], present: set[hot.Key]) -> None:
        self.hosts = dict(known)
        self.changed_boots: dict[hosts.BootKey, Boot] = {}
        self.entries: list[hot.Entry] = []
        self._boots, self._present = boots, set(present)

    def add(self, arrival: Arrival) -> bool:
        """Take one in. True where it is a duplicate, of an older row or of one of this batch."""
        host = self.hosts[arrival.snapshot.host]
        entry = hot.Entry(host.id, arrival, host.is_superseded_by(arrival))
        if entry.key in self._present:
            self.hosts[host.name] = host.with_duplicate(arrival.received_ms)
            return True
        self._present.add(entry.key)
        self.entries.append(entry)
        missing = self._count_in(entry.key)
        self.hosts[host.name] = host.with_arrival(arrival, missing=missing, is_newest=entry.is_newest)
        return False

    def place(self, ids: Sequence[int]) -> None:
        """Point the hosts at their newest snapshots: `ids` are where the entries, in order, went in the log."""
        for entry, hot_id in zip(self.entries, ids, strict=True):
            if entry.is_newest:
                name = entry.arrival.snapshot.host
                self.hosts[name] = self.hosts[name].with_newest_at(hot_id, entry.arrival)

    def _count_in(self, key: hot.Key) -> int:
        host_id, boot_id, seq = key
        boot = self.changed_boots.get((host_id, boot_id)) or self._boots.get((host_id, boot_id)) or Boot(seq, seq - 1)
        self.changed_boots[host_id, boot_id], missing = boot.with_seq(seq)
        return missing

"""One transaction's worth of arrivals: appended, counted, duplicates told apart."""

from collections.abc import Collection, Sequence

from collector.fleet.host import Arrival, Boot, Host
from collector.ingest.roster import Roster
from collector.storage import hosts, hot
from collector.storage.database import AsyncConnection
from shared.errors import PortgaugeError


class Conflicting(PortgaugeError):
    """Another snapshot was received under this name: two agents use one identity, or one lost its place."""

    def __init__(self, arrival: Arrival) -> None:
        host, boot_id, seq = arrival.key
        super().__init__(f"{host} sent another snapshot as {seq} of boot {boot_id}; do two agents share one spool?")
        self.host, self.seq = host, seq


async def record(
    db: AsyncConnection, arrivals: Sequence[Arrival], roster: Roster | None = None
) -> list[bool | Conflicting]:
    """Append the arrivals in their order. Answers for each whether it was there already, or why it is refused.

    What `roster` knows is not read again. It must forget everything where the transaction fails.
    """
    roster = roster or Roster()
    place = await hot.claim(db, len(arrivals))
    roster.expect(place, len(arrivals))
    known = await _hosts(db, {arrival.snapshot.host for arrival in arrivals}, roster)
    keys = [_key(known, arrival) for arrival in arrivals]
    boots = await _boots(db, {key[:2] for key in keys}, roster)
    present = await hot.present(db, _doubtful(keys, boots))
    batch = _Batch(known, boots, present, place)
    duplicates = [batch.add(arrival, key) for arrival, key in zip(arrivals, keys, strict=True)]
    await hot.append(db, batch.entries, place)
    await hosts.save(db, batch.hosts.values(), known)
    await hosts.save_boots(db, boots, batch.changed_boots, max(arrival.received_ms for arrival in arrivals))
    roster.keep(batch.hosts, boots | batch.changed_boots)
    return duplicates


async def _hosts(db: AsyncConnection, names: set[str], roster: Roster) -> dict[str, Host]:
    known = roster.hosts(names)
    strange = names - known.keys()
    return known | await hosts.ensure(db, strange) if strange else known


async def _boots(db: AsyncConnection, keys: set[hosts.BootKey], roster: Roster) -> dict[hosts.BootKey, Boot]:
    known = roster.boots(keys)
    return known | await hosts.boots(db, keys - known.keys())


def _key(known: dict[str, Host], arrival: Arrival) -> hot.Key:
    host, boot_id, seq = arrival.key
    return (known[host].id, boot_id, seq)


def _doubtful(keys: Collection[hot.Key], boots: dict[hosts.BootKey, Boot]) -> list[hot.Key]:
    """Those that may be in the log: of a boot that is known, and not outside of what was received of it."""
    return [key for key in keys if (boot := boots.get(key[:2])) and boot.first_seq <= key[2] <= boot.last_seq]


class _Batch:
    """Hosts and boots as they become, arrival by arrival, and the rows to append from `place` on."""

    def __init__(
        self, known: dict[str, Host], boots: dict[hosts.BootKey, Boot], present: dict[hot.Key, bytes], place: int
    ) -> None:
        self.hosts = dict(known)
        self.changed_boots: dict[hosts.BootKey, Boot] = {}
        self.entries: list[hot.Entry] = []
        self._boots, self._present, self._place = boots, dict(present), place

    def add(self, arrival: Arrival, key: hot.Key) -> bool | Conflicting:
        """Take one in. True where it is a duplicate, of an older row or of one of this batch."""
        name = arrival.snapshot.host
        host = self.hosts[name]
        there = self._present.get(key)
        if there is not None and there != arrival.body:
            self.hosts[name] = host.with_conflict(arrival.received_ms)
            return Conflicting(arrival)
        if there is not None:
            self.hosts[name] = host.with_duplicate(arrival.received_ms)
            return True
        self._present[key] = arrival.body
        entry = hot.Entry(host.id, arrival, host.is_superseded_by(arrival))
        self.entries.append(entry)
        missing = self._count_in(key)
        if entry.is_newest:
            self.hosts[name] = host.with_newest(arrival, missing=missing, hot_id=self._place)
        else:
            self.hosts[name] = host.with_backlog(arrival, missing=missing)
        self._place += 1
        return False

    def _count_in(self, key: hot.Key) -> int:
        host_id, boot_id, seq = key
        boot = self.changed_boots.get((host_id, boot_id)) or self._boots.get((host_id, boot_id)) or Boot(seq, seq - 1)
        self.changed_boots[host_id, boot_id], missing = boot.with_seq(seq)
        return missing

"""Snapshots that no disk takes: kept in memory, bounded, oldest dropped first."""

from dataclasses import dataclass, field, replace

from agent.spool_file import Row


@dataclass(slots=True)
class SpoolMemory:
    """Rows by their number, in the order they came."""

    max_bytes: int
    rows: dict[int, Row] = field(default_factory=dict)
    bytes: int = 0
    dropped: int = 0

    def add(self, row: Row) -> int:
        """Keep it; answers how many had to go for it. The newest is kept whatever its size."""
        self.rows[row.seq] = row
        self.bytes += len(row.body)
        gone = 0
        while self.bytes > self.max_bytes and len(self.rows) > 1:
            self.forget(next(iter(self.rows)))
            gone += 1
        self.dropped += gone
        return gone

    def newest(self) -> Row | None:
        """The newest to send."""
        return next((row for row in reversed(self.rows.values()) if not row.refused), None)

    def forget(self, seq: int) -> bool:
        """Whether it was here."""
        row = self.rows.pop(seq, None)
        if row:
            self.bytes -= len(row.body)
        return row is not None

    def refuse(self, seq: int) -> bool:
        """Do not offer it again. Whether it was here."""
        if seq not in self.rows:
            return False
        self.rows[seq] = replace(self.rows[seq], refused=True)
        return True

    def clear(self) -> None:
        """They are on disk now."""
        self.rows.clear()
        self.bytes = self.dropped = 0

"""The leader's look at the clock: once a minute, whether a near-miss report is due that nobody has been owed yet."""

from collections.abc import Callable, Iterable, Mapping

from collector.alerts.digest import DAYS, FLOOR, Findings, Near, Period, due, report
from collector.history.tiers import HOUR_MS
from collector.storage import outbox
from collector.storage.database import Database
from collector.trends.peaks import Peak
from collector.trends.rank import levels, top
from collector.trends.window import Window

REST_S = 60.0
MOST = 1_000


class Digests:
    """Over a database that lets only the leader write. `takers`: by kind of report, the channels that are told."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        db: Database,
        takers: Mapping[str, Iterable[str]],
        *,
        at_minute: int,
        public_url: str,
        clock: Callable[[], int],
        on_notice: Callable[[], None],
    ) -> None:
        self._db, self._clock, self._at_minute, self._on_notice = db, clock, at_minute, on_notice
        self._takers = {kind: tuple(names) for kind, names in takers.items() if kind in DAYS}
        self._link = f"{public_url.rstrip('/')}/near-misses" if public_url else ""

    async def look(self) -> bool:
        """Owe what is due. False: nothing is waiting (collector.loops)."""
        now_ms = self._clock()
        for period in due(self._takers, self._at_minute, now_ms):
            async with self._db.reading() as connection:
                is_owed = await outbox.is_known(connection, period.key)
            if not is_owed:
                notice = report(period, await self._findings(period), now_ms, self._link)
                async with self._db.writing() as connection:
                    await outbox.put(connection, notice, self._takers[period.kind], now_ms)
                self._on_notice()
        return False

    async def _findings(self, period: Period) -> Findings:
        found = await top(self._db, period.from_ms, period.to_ms, MOST)
        near = [
            Near(one.host, one.role or "", one.pool, one.found.occupancy, one.found.hour_ms)
            for one in found
            if isinstance(one.found, Peak) and one.found.occupancy >= FLOOR
        ]
        hours = await levels(self._db, Window(period.from_ms, period.to_ms, HOUR_MS), ())
        return Findings(near=near, most=MOST, hours_known=sum(hour.pool_minutes > 0 for hour in hours))

"""Reads what lies behind an alert: the last minutes of its pool, for rate, changes, words logged, and fixes."""

import asyncio
from collections.abc import Sequence

from collector.alerts.evaluate import Case
from collector.alerts.notice import Background
from collector.alerts.trail import changes, fixes, follow, logged, namespace_of, rate_per_s
from collector.storage import hosts, hot
from collector.storage.database import AsyncConnection
from collector.storage.hot import Logged
from collector.web.links import host_link, pool_link
from shared import wire
from shared.model import Pool

LOOK_BACK_MS = 120_000
MOST_SNAPSHOTS = 60


class Investigation:
    """Answers for one pool at a time. `public_url` is where people find the page; empty: no link."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    async def __call__(self, db: AsyncConnection, lead: Case) -> Background:
        """What is known besides the alert; less where the log no longer holds it."""
        pool, host = lead.subject.pool, lead.subject.host
        link = self.link(host, pool)
        known = await hosts.by_name(db, host) if host else None
        if known is None:
            return Background(link=link)
        rows = await hot.latest(db, known.id, since_ms=lead.seen_ms - LOOK_BACK_MS, limit=MOST_SNAPSHOTS)
        return await asyncio.to_thread(_told, rows, pool, link)

    def link(self, host: str | None, pool: Pool | None = None) -> str:
        """Where the page shows it."""
        if not self._public_url:
            return ""
        path = "/" if not host else pool_link(host, pool) if pool else host_link(host)
        return f"{self._public_url}{path}"


def _told(rows: Sequence[Logged], pool: Pool | None, link: str) -> Background:
    snapshots = []
    for one in rows:
        try:
            snapshots.append((one.taken_ms, wire.decode(one.body)))
        except wire.WireError:
            continue  # The evaluation logs it; here one point of a rate is missing.
    said = logged([snapshot for _, snapshot in snapshots], pool)
    if pool is None:
        return Background(logged=said, link=link)
    trail = follow(snapshots, pool)
    return Background(
        namespace=namespace_of(trail),
        rate_per_s=rate_per_s(trail),
        changed=changes(trail),
        fixes=fixes(trail),
        logged=said,
        link=link,
    )

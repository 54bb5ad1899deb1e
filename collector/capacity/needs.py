"""When a pool reaches its limits, what it would need by then, and what comes of doing nothing. Pure.

All needs follow one sum: what shares a load now, times what the peak will be, divided by what one pool may hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.capacity.growth import Growth, Tendency
from shared.model import Kind, Pool

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A pool as it stands."""

    host: str
    role: str | None
    pool: Pool
    capacity: int
    growth: Growth
    page_share: float | None
    """The occupancy from which on somebody is paged; None where no rule does."""
    backends: int = 1
    """Backend addresses of the same port that the same source connects to, this one among them."""
    sources: int = 1
    """Source addresses of the host that connect to the same backend."""
    hosts: int = 1
    """Hosts of the role that connect to the same backend."""

    @property
    def allowed(self) -> int:
        """Ports that may be held without anybody being paged."""
        share = 1.0 if self.page_share is None else self.page_share
        return max(0, math.ceil(share * self.capacity) - 1)


@dataclass(frozen=True, slots=True)
class Due:
    """When something is reached, in Unix ms: most likely, and nine times in ten between the others.

    `latest_ms` None: it may be later than anybody can say.
    """

    earliest_ms: int
    at_ms: int
    latest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """How many of each would do at the horizon, those there are now among them. None: it would not help, or unknown."""

    backends: int | None
    destinations: int | None
    """Addresses or ports of this one backend."""
    sources: int | None
    hosts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to come of a pool. Peaks are ports on its busiest weekday."""

    trend: Tendency
    why: str
    peak: int
    projected: int | None
    """The peak at the horizon; None where it cannot be said."""
    projected_most: int | None
    """The same if it grows as fast as it may."""
    page: Due | None
    full: Due | None
    needs: Needs
    refused: int | None
    """Connections that fail at each peak by the horizon if nothing is done."""
    sums: tuple[str, ...]


NO_NEEDS: Final = Needs(backends=None, destinations=None, sources=None, hosts=None)


def outlook(standing: Standing, horizon_days: int, last_day_ms: int) -> Outlook:
    """What becomes of the pool if nothing is done. `last_day_ms`: when the last whole day that is known began."""
    now = standing.growth
    page = None if standing.page_share is None else _due(now, standing.page_share * standing.capacity, last_day_ms)
    full = _due(now, standing.capacity, last_day_ms)
    known = now.trend is Tendency.STEADY or (now.trend is Tendency.GROWING and horizon_days <= now.reach_days)
    if not known:
        return _unknown(standing, page, full, horizon_days)
    projected, most = (math.ceil(now.peak + rate * horizon_days) for rate in (now.per_day, now.fastest))
    return Outlook(
        trend=now.trend,
        why=now.why,
        peak=math.ceil(now.peak),
        projected=projected,
        projected_most=most,
        page=page,
        full=full,
        needs=_needs(standing, projected),
        refused=max(0, projected - standing.capacity),
        sums=tuple(_sums(standing, projected, horizon_days)),
    )


def _unknown(standing: Standing, page: Due | None, full: Due | None, horizon_days: int) -> Outlook:
    now = standing.growth
    why = now.why
    if now.trend is Tendency.GROWING:
        why = f"{why}, which says something of {now.reach_days} days ahead, not of {horizon_days}"
    return Outlook(
        trend=now.trend,
        why=why,
        peak=math.ceil(now.peak),
        projected=None,
        projected_most=None,
        page=page,
        full=full,
        needs=NO_NEEDS,
        refused=None,
        sums=(why,),
    )


def _due(growth: Growth, level: float, last_day_ms: int) -> Due | None:
    """When the peak reaches the level; None where it will not, or nobody can say."""
    if growth.peak >= level:
        return Due(last_day_ms, last_day_ms, last_day_ms)
    if growth.trend is not Tendency.GROWING:
        return None
    days = (level - growth.peak) / growth.per_day
    if days > growth.reach_days:
        return None
    latest = (level - growth.peak) / growth.slowest
    return Due(
        _after(last_day_ms, (level - growth.peak) / growth.fastest),
        _after(last_day_ms, days),
        _after(last_day_ms, latest) if latest <= growth.reach_days else None,
    )


def _after(last_day_ms: int, days: float) -> int:
    return last_day_ms + math.ceil(days) * DAY_MS


def _needs(standing: Standing, projected: int) -> Needs:
    kind = standing.pool.kind
    is_connect, has_sources = kind is Kind.CONNECT, kind is not Kind.UDP
    return Needs(
        backends=_enough(standing, standing.backends, projected) if is_connect else None,
        destinations=_enough(standing, 1, projected) if is_connect else None,
        sources=_enough(standing, standing.sources, projected) if has_sources else None,
        hosts=_enough(standing, standing.hosts, projected),
    )


def _enough(standing: Standing, count: int, projected: int) -> int | None:
    """How many share the load so that none is above what is allowed; never fewer than now."""
    return max(count, math.ceil(count * projected / standing.allowed)) if standing.allowed else None


def _sums(standing: Standing, projected: int, horizon_days: int) -> Sequence[str]:
    now = standing.growth
    lines = [f"peak {now.peak:,.0f} + {horizon_days} d × {now.per_day:,.1f} a day = {projected:,}"]
    level = "all" if standing.page_share is None else f"below {standing.page_share:.0%}"
    lines.append(f"{level} of {standing.capacity:,} ports: {standing.allowed:,} may be held")
    counts = {"host": standing.hosts}
    if standing.pool.kind is not Kind.UDP:
        counts["source address"] = standing.sources
    if standing.pool.kind is Kind.CONNECT:
        counts |= {"address of this backend": 1, "backend of this port": standing.backends}
    for what, count in reversed(counts.items()):
        enough = _enough(standing, count, projected)
        if enough is not None:
            lines.append(f"{what}: {count:,} × {projected:,} ÷ {standing.allowed:,} → {enough:,}")
    refused = projected - standing.capacity
    if refused > 0:
        lines.append(f"doing nothing: {projected:,} − {standing.capacity:,} = {refused:,} refused at each peak")
    return lines

"""Channels made of their settings, and who of them is told of what."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from aiohttp import ClientSession

from collector.alerts.board import ChannelsFor
from collector.alerts.digest import KINDS
from collector.alerts.rules import Rule
from collector.notify.alertmanager import AlertmanagerChannel, Documents
from collector.notify.channel import Channel
from collector.notify.log import LogChannel
from collector.notify.service import ServiceChannel
from collector.notify.settings import ALERTMANAGER, WEBHOOK, ChannelSettings, resolve
from collector.notify.webhook import WebhookChannel


def open_channels(
    settings: Sequence[ChannelSettings], session: ClientSession, clock: Callable[[], int], documents: Documents
) -> list[Channel]:
    """The log, and each channel that is configured. Raises SecretUnavailable, InvalidValue."""
    return [LogChannel(), *(open_channel(one, session, clock, documents) for one in settings)]


def open_channel(
    settings: ChannelSettings, session: ClientSession, clock: Callable[[], int], documents: Documents
) -> Channel:
    """What kind of channel it is, its address says."""
    resolved = resolve(settings)
    scheme = urlsplit(resolved.url).scheme
    if scheme in WEBHOOK:
        return WebhookChannel(resolved, session, clock)
    if scheme in ALERTMANAGER:
        return AlertmanagerChannel(resolved, session, clock, documents)
    return ServiceChannel(resolved)


def routes(settings: Sequence[ChannelSettings]) -> ChannelsFor:
    """Who is told: the log of everything; a channel of the severities it takes, if no rule names others."""

    def told(severity: str, rules: Iterable[Rule | None]) -> tuple[str, ...]:
        named = [rule.channels if rule else () for rule in rules]
        chosen = {name for names in named for name in names} if all(named) else None
        takes = (one.name for one in settings if severity in one.severities)
        return ("log", *(name for name in takes if chosen is None or name in chosen))

    return told


def digest_takers(settings: Sequence[ChannelSettings]) -> dict[str, tuple[str, ...]]:
    """Who is told of each kind of report that anybody takes: they, and the log."""
    by_kind = {kind: tuple(one.name for one in settings if kind in one.digests) for kind in KINDS}
    return {kind: ("log", *names) for kind, names in by_kind.items() if names}

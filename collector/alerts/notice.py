"""What a person is told of an incident: one document, one sentence, and a few lines that are enough at 3 a.m. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.alerts.evaluate import Case
from collector.alerts.incidents import Incident, Telling, hosts_of
from collector.alerts.subject import alert_key, stable_key
from collector.alerts.words import clock, describe, duration, quoted, sums
from collector.fleet.document import evidence_document, reading_document
from shared.advice import Option
from shared.model import Evidence, Namespace

MOST_MEMBERS = 20
MOST_FIXES = 4
MOST_LOGGED = 4
_ENDS = frozenset({Telling.RESOLVED, Telling.FORGOTTEN})
"""Either closes an incident wherever it was told (`state` is `resolved`); `ended` and the words say which it was."""
_WHY_FORGOTTEN = "Nobody reports of it any more: its host was forgotten, or its network namespace has ended."
ADVISED_FROM = 0.5
"""From which occupancy on `portgauge-agent advise` speaks of a pool unasked."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`key` names this notice however often it is delivered; `document` is what a webhook receives."""

    key: str
    thread: str
    """Notices of one thread are told in their order."""
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What is known of the leading pool besides the alert itself."""

    namespace: Namespace | None = None
    """The pool's, as it was reported last."""
    rate_per_s: float | None = None
    changed: tuple[str, ...] = ()
    fixes: tuple[Option, ...] = ()
    logged: tuple[Evidence, ...] = ()
    link: str = ""


NO_BACKGROUND = Background()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An incident to be told: the case that stands for it, and all that are not hidden."""

    incident: Incident
    telling: Telling
    lead: Case
    members: Sequence[Case]
    now_ms: int
    background: Background = field(default=NO_BACKGROUND)


def compose(news: News) -> Notice:
    """The notice."""
    incident, lead = news.incident, news.lead
    state = "resolved" if news.telling in _ENDS else "firing"
    key = stable_key(incident.key, state, incident.tellings)
    reading = lead.seen.reading
    document = {
        "key": key,
        "alert": incident.key,
        "state": state,
        "ended": news.telling.value if news.telling in _ENDS else None,
        "update": max(0, incident.tellings - 1) if state == "firing" else None,
        "severity": incident.severity,
        "cause": incident.cause,
        "rule": lead.rule,
        "rules": sorted({case.rule for case in news.members} | {lead.rule}),
        "role": lead.role or None,
        **lead.subject.document(),
        **(reading_document(reading) if reading else {}),
        "sums": sums(reading, news.background.namespace) if reading else "",
        "facts": dict(lead.seen.facts),
        "rate_per_s": news.background.rate_per_s,
        "seconds_left": seconds_left(news),
        "hosts": hosts_of(news.members),
        "alerts": len(news.members),
        "members": [_member(case) for case in _in_order(news.members)[:MOST_MEMBERS]],
        "first": _member(_in_order(news.members)[0]) if news.members else None,
        "changed": list(news.background.changed),
        "evidence": [evidence_document(one) for one in news.background.logged[:MOST_LOGGED]],
        "fixes": [_fix(option) for option in news.background.fixes[:MOST_FIXES]] if state == "firing" else [],
        "link": news.background.link,
        "since_ms": incident.opened_ms,
        "at_ms": news.now_ms,
        "summary": summarise(news),
    }
    return Notice(key, incident.key, document | {"text": text_of(document, news)})


def summarise(news: News) -> str:
    """`PAGE lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left`, and how many more."""
    word = news.telling.upper() if news.telling in _ENDS else news.incident.severity.upper()
    hosts = hosts_of(news.members)
    more = f" (one of {len(news.members):,} alerts on {hosts:,} hosts: {news.incident.cause})" if hosts > 1 else ""
    return f"{word} {describe(news.lead)}{more}"


def text_of(document: Mapping[str, Any], news: News) -> str:
    """The same and all that helps, in lines, for whoever reads it on a telephone."""
    lines = [str(document["summary"])]
    if news.telling in _ENDS:
        lines += [_WHY_FORGOTTEN] if news.telling is Telling.FORGOTTEN else []
        return "\n".join([*lines, f"It lasted {duration(news.now_ms - news.incident.opened_ms)}."])
    lines.append(_standing(document, news))
    lines += [f"{document['sums']}."] if document["sums"] else []
    if document["rate_per_s"] is not None and document["rate_per_s"] > 0:
        left = document["seconds_left"]
        spent = f", spent in {duration(round(left * 1000))} at this rate" if left is not None else ""
        lines.append(f"Growing by {document['rate_per_s']:,.1f} ports/s{spent}.")
    first = document["first"]
    if first and document["alerts"] > 1:
        lines.append(f"First of {document['alerts']:,}: {first['summary']}.")
    lines += [f"Changed: {text}." for text in document["changed"]]
    lines += [f"{quoted(one)}." for one in news.background.logged[:MOST_LOGGED]]
    for number, fix in enumerate(document["fixes"], start=1):
        gain = f" (+{fix['gain']:,} connections)" if fix["gain"] else ""
        lines += [f"{number}. {fix['title']}{gain}", *(f"   {line}" for line in fix["how"])]
    if document["fixes"] and document["occupancy"] >= ADVISED_FROM:
        lines.append("On the host, where more is known: portgauge-agent advise")
    return "\n".join([*lines, *([document["link"]] if document["link"] else [])])


def _standing(document: Mapping[str, Any], news: News) -> str:
    """`Since 02:41:07 UTC, role edge, by pool-nearly-full.`, and whether it was told before."""
    since_ms = min([news.incident.opened_ms, *(case.alert.hot_since_ms or news.now_ms for case in news.members)])
    role = f", role {document['role']}" if document["role"] else ""
    again = ", told again: it has grown" if news.telling is Telling.GREW else ""
    return f"Since {clock(since_ms)}{role}, by {', '.join(document['rules'])}{again}."


def first_of(members: Sequence[Case]) -> str:
    """Which of them left its band first, in words."""
    return describe(_in_order(members)[0])


def seconds_left(news: News) -> float | None:
    """Until the leading pool is spent: by the forecast, else by the rate seen; None where it is not growing."""
    seen = news.lead.seen
    if seen.forecast and seen.forecast.seconds != float("inf"):
        return round(seen.forecast.seconds, 1)
    if seen.reading is None or not news.background.rate_per_s or news.background.rate_per_s <= 0:
        return None
    return round(seen.reading.headroom_min / news.background.rate_per_s, 1)


def _in_order(members: Sequence[Case]) -> list[Case]:
    """Who left its band first comes first."""
    return sorted(members, key=lambda case: case.alert.hot_since_ms or case.alert.fired_ms or 0)


def _member(case: Case) -> dict[str, Any]:
    return {
        "alert": alert_key(case.rule, case.subject),
        "rule": case.rule,
        "host": case.subject.host,
        "since_ms": case.alert.hot_since_ms or case.alert.fired_ms,
        "summary": describe(case),
    }


def _fix(option: Option) -> dict[str, Any]:
    return {"title": option.title, "gain": option.gain, "how": list(option.how)}

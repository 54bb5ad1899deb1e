"""What a person is told. Its sentences are in test_words.py."""

from dataclasses import replace

import pytest

from collector.alerts.evaluate import Case
from collector.alerts.incidents import Incident, Telling
from collector.alerts.notice import MOST_MEMBERS, Background, News, compose
from collector.alerts.observe import Forecast, Observation
from collector.alerts.step import Alert, AlertState
from collector.alerts.subject import of_pool
from collector.alerts.words import quoted
from shared.advice import Option
from shared.model import Evidence
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading

INCIDENT = Incident(severity="page", cause="backend 10.0.9.21:8080", opened_ms=NOON_MS, told_ms=NOON_MS, tellings=1)


def a_case(host: str = "lb1", *, second: int = 0) -> Case:
    since_ms = NOON_MS + second * 1000
    return Case(
        rule="hot",
        severity="page",
        subject=of_pool(host, a_pool()),
        alert=Alert(AlertState.FIRING, since_ms, since_ms, since_ms),
        seen=Observation(a_reading(255)),
        seen_ms=NOON_MS,
        role="edge",
    )


def news(*cases: Case, telling: Telling = Telling.FIRING) -> News:
    members = cases or (a_case(),)
    told = () if telling is Telling.RESOLVED else members
    return News(incident=INCIDENT, telling=telling, lead=members[0], members=told, now_ms=NOON_MS + 60_000)


def test_one_pool_is_told_in_one_sentence() -> None:
    summary = compose(news()).document["summary"]
    assert summary == "PAGE lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left"


def test_many_hosts_are_counted_and_the_first_is_named() -> None:
    cases = [a_case(f"lb{number}", second=100 - number) for number in range(100)]
    document = compose(news(*cases)).document
    assert document["summary"].endswith("(one of 100 alerts on 100 hosts: backend 10.0.9.21:8080)")
    assert (document["hosts"], document["alerts"], len(document["members"])) == (100, 100, MOST_MEMBERS)
    assert document["first"]["host"] == "lb99"
    assert "First of 100: lb99: " in document["text"]


def test_the_text_says_how_fast_what_changed_and_what_to_do() -> None:
    background = Background(
        rate_per_s=2.5,
        changed=("CLOSE_WAIT rose from 0 to 90 in 60 s",),
        fixes=(Option("one more backend", 300, ("beside 10.0.9.21:8080",)),),
        namespace=a_namespace(),
        logged=(Evidence(a_pool(), "haproxy", "no free ports", 12, NOON_MS),),
        link="http://portgauge.example/?host=lb1",
    )
    notice = compose(replace(news(), background=background))
    assert notice.document["text"].splitlines()[1:] == [
        "Since 12:00:00 UTC, role edge, by hot.",
        "40000–40299: 300 − 0 reserved − 0 blocked = 300; held 255 = ESTABLISHED 255.",
        "Growing by 2.5 ports/s, spent in 18 s at this rate.",
        "Changed: CLOSE_WAIT rose from 0 to 90 in 60 s.",
        f"{quoted(background.logged[0])}.",
        "1. one more backend (+300 connections)",
        "   beside 10.0.9.21:8080",
        "On the host, where more is known: portgauge-agent advise",
        "http://portgauge.example/?host=lb1",
    ]
    [said] = notice.document["evidence"]
    assert said == {"program": "haproxy", "text": "no free ports", "count": 12, "last_at_ms": NOON_MS}


def test_what_is_told_again_says_so_and_since_when_the_first_of_all_was_hot() -> None:
    early, late = a_case("lb1", second=-90), a_case("lb2", second=30)
    text = compose(replace(news(late, early), telling=Telling.GREW)).document["text"]
    assert text.splitlines()[1] == "Since 11:58:30 UTC, role edge, by hot, told again: it has grown."


def test_a_forecast_goes_before_the_rate() -> None:
    seen = Observation(a_reading(255), forecast=Forecast(600.0, 0.1))
    document = compose(news(replace(a_case(), seen=seen))).document
    assert document["seconds_left"] == 600.0


def test_the_end_is_told_with_how_long_it_lasted() -> None:
    document = compose(news(telling=Telling.RESOLVED)).document
    assert (document["state"], document["fixes"]) == ("resolved", [])
    assert document["summary"].startswith("RESOLVED lb1: ")
    assert document["text"].endswith("It lasted 60 s.")


def test_a_notice_keeps_its_key_and_every_other_notice_has_another() -> None:
    first, again = compose(news()), compose(news())
    grown = compose(replace(news(), incident=replace(INCIDENT, tellings=2), telling=Telling.GREW))
    over = compose(news(telling=Telling.RESOLVED))
    assert first.key == again.key
    assert len({first.key, grown.key, over.key}) == 3
    assert {first.document["alert"], grown.document["alert"], over.document["alert"]} == {INCIDENT.key}
    assert (first.document["update"], grown.document["update"]) == (0, 1)


@pytest.mark.parametrize("telling", list(Telling))
def test_the_document_carries_what_a_receiver_needs_to_act(telling: Telling) -> None:
    wanted = {
        "key", "alert", "state", "update", "ended", "severity", "cause", "rule", "rules", "role", "subject", "name",
        "host", "netns", "kind", "local_ip", "peer_ip", "peer_port", "held", "capacity", "headroom_min",
        "headroom_max", "occupancy", "states", "owner", "failures", "knee", "recyclable", "facts", "sums",
        "rate_per_s", "seconds_left", "hosts", "alerts", "members", "first", "changed", "evidence", "fixes", "link",
        "since_ms", "at_ms", "summary", "text",
    }  # fmt: skip
    assert set(compose(news(telling=telling)).document) == wanted


def test_the_end_of_a_forgotten_host_does_not_say_that_all_is_well() -> None:
    document = compose(replace(news(telling=Telling.FORGOTTEN), members=())).document
    assert (document["state"], document["ended"], document["fixes"]) == ("resolved", "forgotten", [])
    assert document["text"].startswith("FORGOTTEN lb1: ")
    assert (
        "Nobody reports of it any more: its host was forgotten, or its network namespace has ended." in document["text"]
    )
    assert compose(news()).document["ended"] is None
    assert compose(news(telling=Telling.RESOLVED)).document["ended"] == "resolved"

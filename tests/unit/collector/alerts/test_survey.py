"""The fleet as a whole."""

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.rules import Rule
from collector.alerts.step import Span
from collector.alerts.subject import Subject
from collector.alerts.survey import Summary, drifters, summarise, survey
from collector.alerts.where import Place, Where
from shared.model import Reading, Remainder
from shared.ports import PortRange
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot

FLEET = Rule(name="fleet", severity="plan", subject="fleet", condition="share-above", level=0.5, raise_at=0.1)
ROLES = Rule(name="roles", severity="plan", subject="role", condition="share-above", level=0.5, raise_at=0.1)
PRESSED = Rule(name="pressed", severity="page", subject="peer", condition="pressed-by-hosts", level=0.7, raise_at=2)


def a_summary(rule: Rule, *readings: Reading, host: str = "lb1", role: str = "edge", unlisted: int = 0) -> Summary:
    rest = Remainder(pools=unlisted, held=unlisted, max_held=1)
    snapshot = a_snapshot(*readings, host=host, namespaces=[a_namespace(remainder=rest)])
    return summarise(Place(host=host, role=role), snapshot, [rule])


def towards(port: int, held: int) -> Reading:
    return a_reading(held, pool=a_pool(port))


def pressing(peer: str, held: int, local: str = "10.0.0.1") -> Reading:
    return a_reading(held, pool=a_pool(80, local=local, peer=peer))


def test_the_share_of_the_fleet_counts_every_pool_listed_or_not() -> None:
    warm = {f"lb{host}": a_summary(FLEET, towards(1, 200), towards(2, 10), unlisted=2) for host in range(3)}
    [seen] = survey(FLEET, warm | {"lb9": a_summary(FLEET)}, {})
    assert (seen.subject, seen.span) == (Subject(Scope.FLEET), Span(0.25, 0.25))
    assert seen.facts == {"pools_above": 3, "pools": 12, "pools_unknown": 0}


def test_silent_hosts_make_a_span_of_it() -> None:
    """Their pools may be full by now, or empty."""
    known = {f"lb{host}": a_summary(FLEET, towards(1, 200)) for host in range(3)}
    [seen] = survey(FLEET, known, {"lb9": a_summary(FLEET, towards(1, 5))})
    assert seen.span == Span(0.75, 1.0)


def test_what_rises_on_two_hosts_is_no_rise_of_the_fleet_and_of_a_third_that_is_silent_nobody_knows() -> None:
    """A fleet of one host with five pools has a fifth of them half full as soon as one is, which that pool tells."""
    two = {f"lb{host}": a_summary(FLEET, towards(1, 200)) for host in range(2)}
    assert [one.span for one in survey(FLEET, two, {})] == [Span(0.0, 0.0)]
    assert [one.span for one in survey(FLEET, two, {"lb9": a_summary(FLEET, towards(1, 5))})] == [Span(0.0, 1.0)]
    assert [one.span for one in survey(FLEET, {}, {"lb9": a_summary(FLEET)})] == [None]


def test_nobody_heard_is_unknown() -> None:
    [seen] = survey(FLEET, {}, {})
    assert seen.span is None


def test_each_role_has_its_own_share() -> None:
    known = {"a": a_summary(ROLES, towards(1, 200), role="edge"), "b": a_summary(ROLES, towards(1, 5), role="core")}
    assert {one.subject.name: one.span for one in survey(ROLES, known, {})} == {
        "core": Span(0.0, 0.0),
        "edge": Span(1.0, 1.0),
    }


def test_a_backend_is_pressed_by_hosts_not_by_pools() -> None:
    both = [pressing("10.0.9.21", 290, local=local) for local in ("10.0.0.1", "10.0.0.2")]
    calm = a_reading(10, pool=a_pool(81, peer="10.0.9.21"))
    known = {"lb1": a_summary(PRESSED, *both), "lb2": a_summary(PRESSED, pressing("10.0.9.21", 290), calm)}
    [seen] = survey(PRESSED, known, {"lb3": a_summary(PRESSED, pressing("10.0.9.21", 290))})
    assert (seen.subject.name, seen.span) == ("10.0.9.21:80", Span(2, 3))


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.53", "::1", "169.254.169.254", "fe80::1"])
def test_what_each_host_has_its_own_of_is_not_one_backend_that_many_press_on(peer: str) -> None:
    """Sidecars: five hosts whose proxies fill towards 127.0.0.1:8080 have five backends."""
    known = {f"lb{host}": a_summary(PRESSED, pressing(peer, 290)) for host in range(5)}
    assert list(survey(PRESSED, known, {})) == []


def test_a_rule_about_some_hosts_or_pools_counts_no_others() -> None:
    some = Rule(
        name="some", severity="plan", subject="fleet", condition="share-above", level=0.5, raise_at=0.1,
        where=Where(role=("edge",), peer=(":1",)),
    )  # fmt: skip
    known = {"lb1": a_summary(some, towards(1, 200), towards(2, 200), unlisted=7), "db": a_summary(some, role="db")}
    [seen] = survey(some, known, {})
    assert seen.facts["pools"] == 1


def with_range(host: str, high: int, role: str = "edge") -> Summary:
    snapshot = a_snapshot(host=host, namespaces=[a_namespace(ports=PortRange(40_000, high))])
    return summarise(Place(host=host, role=role), snapshot, [])


def test_who_differs_from_most_of_its_role_drifts() -> None:
    known = {host: with_range(host, high) for host, high in (("a", 49_999), ("b", 49_999), ("c", 40_099))}
    assert drifters(known) == {"c": {"ip_local_port_range": {"here": "40000–40099", "role": "40000–49999"}}}


def test_of_two_nobody_can_say_which_one_drifted() -> None:
    assert drifters({"a": with_range("a", 49_999), "b": with_range("b", 40_099)}) == {}


def test_roles_are_not_compared_with_each_other() -> None:
    known = {
        host: with_range(host, high, role)
        for host, high, role in (("a", 49_999, "x"), ("b", 49_999, "x"), ("c", 49_999, "x"), ("d", 40_099, "y"))
    }
    assert drifters(known) == {}

"""What an alert is about."""

from collector.alerts.conditions import Scope
from collector.alerts.subject import Subject, alert_key, of_peer, of_pool
from tests.builders import a_pool

SUBJECTS = [
    of_pool("lb1", a_pool()),
    of_pool("lb1", a_pool(9002)),
    of_pool("lb2", a_pool()),
    Subject(Scope.HOST, "lb1"),
    Subject(Scope.ROLE, "lb1"),
    Subject(Scope.FLEET),
    of_peer(b"\x7f\0\0\1", 9001),
]


def test_no_two_alerts_share_a_key() -> None:
    assert len({alert_key(rule, subject) for rule in ("a", "b") for subject in SUBJECTS}) == 2 * len(SUBJECTS)


def test_a_key_stays_what_it_is() -> None:
    """Receivers keep it, and so do databases of earlier versions."""
    assert alert_key("hot", SUBJECTS[0]) == "0ba7da4b36eef21b7af4797cfe9e793c"
    assert alert_key("hot", SUBJECTS[3]) == "b168398d73c7b5b62c88ab99f13592d6"


def test_a_subject_without_a_pool_says_so_with_nulls() -> None:
    document = Subject(Scope.HOST, "lb1").document()
    assert (document["subject"], document["host"], document["peer_ip"]) == ("host", "lb1", None)
    assert Subject(Scope.ROLE, "edge").document()["host"] is None

"""Hosts remembered between batches."""

from msgspec.structs import replace

from collector.fleet.host import Boot, Host
from collector.ingest.roster import Roster

LB1 = Host(id=1, name="lb1", boot_id="a")


def a_roster() -> Roster:
    roster = Roster()
    roster.expect(1, 10)
    roster.keep({"lb1": LB1}, {(1, "a"): Boot(1, 5), (1, "old"): Boot(1, 9)})
    return roster


def test_what_was_written_is_known_while_nobody_else_appends() -> None:
    roster = a_roster()
    roster.expect(11, 5)
    assert roster.hosts({"lb1", "lb2"}) == {"lb1": LB1}
    assert roster.boots({(1, "a"), (1, "b")}) == {(1, "a"): Boot(1, 5)}


def test_another_s_append_makes_it_forget() -> None:
    roster = a_roster()
    roster.expect(12, 5)
    assert roster.hosts({"lb1"}) == {}
    assert roster.boots({(1, "a")}) == {}


def test_boots_that_are_not_current_are_read_anew() -> None:
    roster = a_roster()
    assert roster.boots({(1, "old")}) == {}
    roster.expect(11, 1)
    roster.keep({"lb1": replace(LB1, boot_id="b")}, {(1, "b"): Boot(1, 1)})
    assert roster.boots({(1, "a"), (1, "b")}) == {(1, "b"): Boot(1, 1)}

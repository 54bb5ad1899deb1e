"""Pools and readings as JSON."""

from collector.fleet.document import pool_document, reading_document
from shared.model import Kind, Pool
from shared.tcp import State
from tests.builders import a_pool, a_reading


def test_a_pool_is_named_as_the_agent_names_it() -> None:
    assert pool_document(a_pool()) == {
        "netns": "host",
        "kind": "connect",
        "local_ip": "127.0.0.1",
        "peer_ip": "127.0.0.1",
        "peer_port": 9001,
    }


def test_a_pool_for_any_destination_has_a_star_and_no_port() -> None:
    document = pool_document(Pool("host", Kind.BIND, bytes([127, 0, 0, 6])))
    assert (document["peer_ip"], document["peer_port"]) == ("*", 0)


def test_states_are_spelled_out() -> None:
    reading = a_reading(30, states={State.ESTABLISHED: 20, State.TIME_WAIT: 10})
    document = reading_document(reading)
    assert document["states"] == {"ESTABLISHED": 20, "TIME_WAIT": 10}
    assert document["occupancy"] == 0.1

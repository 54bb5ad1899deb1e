"""An account is a sum that closes."""

from agent.accounting.derivation import Derivation, Doubt, reading_of
from agent.accounting.question import Question
from shared.model import Kind
from shared.ports import PortRange
from shared.tcp import State

LOOP = bytes([127, 0, 0, 1])


def a_derivation(**changes: object) -> Derivation:
    terms = {
        "question": Question(local=LOOP, peer=LOOP, peer_port=9001),
        "port_range": PortRange(40_000, 40_299),
        "reserved": frozenset({40_001}),
        "blocked": {40_002: "listening"},
        "states": {State.ESTABLISHED: 100},
        **changes,
    }
    return Derivation(**terms)  # type: ignore[arg-type] # terms are Derivation's own fields


def test_capacity_and_headroom_follow_from_the_terms() -> None:
    told = a_derivation(doubts=(Doubt(5, "why"),), hopes=(Doubt(2, "why"),))

    assert (told.capacity, told.held) == (298, 100)
    assert (told.headroom_min, told.headroom, told.headroom_max) == (193, 198, 200)


def test_doubts_beyond_the_headroom_stop_at_nothing_left() -> None:
    assert a_derivation(doubts=(Doubt(500, "why"),)).headroom_min == 0


def test_a_pool_without_ports_is_full() -> None:
    told = a_derivation(port_range=PortRange(40_001, 40_002), states={})

    assert (told.capacity, told.occupancy) == (0, 1.0)


def test_an_account_is_a_reading_of_its_pool() -> None:
    reading = reading_of(a_derivation(hopes=(Doubt(200, "why"),)), "host")

    assert reading.pool.kind is Kind.CONNECT
    assert (reading.held, reading.capacity, reading.headroom_min, reading.headroom_max) == (100, 298, 198, 298)

"""Which pool a phrase is about, and when that is left open."""

from dataclasses import replace

from agent.evidence.join import join
from agent.evidence.ledger import Said
from agent.evidence.phrases import Phrase
from shared.model import Pool, Reading
from tests.builders import NOON_MS, a_reading

FULL = replace(a_reading(300), owner="haproxy.service, haproxy pid 812")
OTHER = replace(FULL, pool=replace(FULL.pool, peer_port=9))


def pool_of(phrase: Phrase, *readings: Reading) -> Pool | None:
    (found,) = join([Said(phrase, 3, NOON_MS)], readings)
    assert (found.program, found.text, found.count, found.last_at_ms) == (phrase.program, phrase.text, 3, NOON_MS)
    return found.pool


def test_the_destination_decides() -> None:
    phrase = Phrase("nginx", "connect()", OTHER.pool.peer, OTHER.pool.peer_port)

    assert pool_of(phrase, FULL, replace(OTHER, held=10)) == OTHER.pool


def test_of_several_towards_it_the_one_that_failed() -> None:
    there = replace(FULL, pool=replace(FULL.pool, local=bytes(4)), failures=2)

    assert pool_of(Phrase("", "x", FULL.pool.peer, FULL.pool.peer_port), FULL, there) == there.pool


def test_a_destination_without_a_pool_stays_open() -> None:
    assert pool_of(Phrase("nginx", "connect()", bytes(4), 1), FULL) is None


def test_a_program_that_fills_one_pool_meant_that_one() -> None:
    assert pool_of(Phrase("haproxy", "no free ports"), FULL, replace(OTHER, held=100)) == FULL.pool


def test_a_program_that_fills_two_leaves_it_open() -> None:
    assert pool_of(Phrase("haproxy", "no free ports"), FULL, OTHER) is None


def test_another_programs_pool_is_not_meant() -> None:
    assert pool_of(Phrase("haproxy", "no free ports"), replace(FULL, owner="nginx pid 4")) is None

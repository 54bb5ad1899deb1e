"""Bodies that were damaged, a hundred thousand of them: read or refused, by both readers alike, and nothing else."""

import random
from collections.abc import Callable

from shared.model import Snapshot
from shared.wire import WireError, decode, outline
from tests.damage import LARGE, SEEDS, damaged

CASES = 100_000


def outcome(read: Callable[[bytes], Snapshot], body: bytes) -> str:
    """What reading comes to; anything but a WireError fails the test that asked."""
    try:
        snapshot = read(body)
    except WireError as error:
        return str(error)
    return f"{snapshot.host} {snapshot.boot_id} {snapshot.seq} {snapshot.taken_at_ms} {snapshot.labels}"


def test_damaged_bodies_are_read_or_refused_and_both_readers_agree() -> None:
    chance = random.Random(5)
    refused = 0
    for number in range(CASES // 2):
        body = damaged(LARGE if number % 50 == 0 else chance.choice(SEEDS), chance)
        told = outcome(outline, body)
        assert outcome(decode, body) == told
        refused += ":" in told or "schema" in told
    assert refused > CASES // 10


def test_an_outline_has_all_but_the_readings() -> None:
    whole, rough = decode(LARGE), outline(LARGE)
    assert rough.readings == ()
    assert (rough.host, rough.seq, rough.labels, rough.namespaces) == (
        whole.host,
        whole.seq,
        whole.labels,
        whole.namespaces,
    )

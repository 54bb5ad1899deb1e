"""Fewer bytes, the same truth."""

from hypothesis import given
from hypothesis import strategies as st

from agent.abridge import abridged
from shared.model import Remainder
from shared.wire import decode, encode
from tests.builders import a_failure, a_namespace, a_pool, a_reading, a_snapshot


@given(st.lists(st.integers(0, 300), min_size=1, max_size=400), st.integers(0, 12_000))
def test_totals_stay_exact_the_fullest_stay_listed_and_the_name_stays(helds: list[int], most_bytes: int) -> None:
    spaces = (a_namespace("host", remainder=Remainder(3, 30, 20)), a_namespace("pod"))
    readings = [
        a_reading(held, pool=a_pool(port, netns="pod" if port % 3 else "host")) for port, held in enumerate(helds, 1)
    ]
    snapshot = a_snapshot(*readings, namespaces=spaces, seq=5)

    body = abridged(encode(snapshot), most_bytes)

    if body is None:
        assert most_bytes < 1_000
        return
    told = decode(body)
    assert len(body) <= most_bytes or body == encode(snapshot)
    assert (told.host, told.boot_id, told.seq) == (snapshot.host, snapshot.boot_id, 5)
    rests = [space.remainder for space in told.namespaces]
    assert len(told.readings) + sum(rest.pools for rest in rests) == len(readings) + 3
    assert sum(one.held for one in told.readings) + sum(rest.held for rest in rests) == sum(helds) + 30
    gone = {one.pool for one in readings} - {one.pool for one in told.readings}
    for one in readings:
        if one.pool in gone:
            space = next(space for space in told.namespaces if space.name == one.pool.netns)
            assert one.held <= space.remainder.max_held
            assert all(other.held >= one.held for other in told.readings)


def test_what_fits_is_left_as_it_is() -> None:
    body = encode(a_snapshot(a_reading()))

    assert abridged(body, len(body)) is body


def test_what_cannot_fit_or_is_no_snapshot_is_said_so() -> None:
    assert abridged(encode(a_failure("x" * 900)), 500) is None
    assert abridged(b"not a snapshot" * 100, 500) is None

"""Ports that a wider range must not lend have one form, and what has another is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import MAX_CLAIMS, MAX_TIME_MS
from shared.wire.claims import claims_of, claims_on, is_sound, row_of
from shared.wire.errors import Malformed

PORTS = st.sets(st.integers(1, 65_535), max_size=200)


@given(PORTS, st.integers(0, MAX_TIME_MS))
def test_claims_come_back_as_they_were_told(ports: set[int], since_ms: int) -> None:
    claims = claims_on(ports, since_ms)

    assert claims
    assert claims.ports == ports
    assert claims_of(row_of(claims), "x") == claims


def test_what_does_not_fit_is_not_told_in_part() -> None:
    """A part would look like all, and a range be widened over what is missing."""
    assert claims_on(range(1, 2 * MAX_CLAIMS + 1, 2), 1)
    assert claims_on(range(1, 2 * MAX_CLAIMS + 3, 2), 1) is None


@pytest.mark.parametrize("pairs", [[(0, 5)], [(5, 4)], [(5, 6), (7, 8)], [(9, 9), (1, 1)], [(1, 1)] * 2])
def test_stretches_ascend_and_do_not_touch(pairs: list[tuple[int, int]]) -> None:
    assert not is_sound(b"".join(struct.pack("<HH", *pair) for pair in pairs))


@pytest.mark.parametrize("row", [None, [], [1], [-1, b""], [1, "x"], [1, b"abc"], [1, bytes(4)], {"a": 1}])
def test_another_form_is_refused(row: object) -> None:
    with pytest.raises(Malformed, match="claims"):
        claims_of(row, "namespaces[0]")

"""What lies in a ring is read to the byte, or refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.perf.errors import PerfMalformed
from agent.perf.records import Sample, samples, unread
from tests.tracepoint import a_record, a_sample

LOST = 2


@given(st.lists(st.binary(min_size=4, max_size=80).map(lambda raw: raw + bytes(-(4 + len(raw)) % 8)), max_size=8))
def test_every_sample_comes_out_as_it_was_written(raws: list[bytes]) -> None:
    flat = b"".join(a_sample(raw, pid=7, tid=number, time_ns=number) for number, raw in enumerate(raws))

    assert list(samples(flat)) == [Sample(7, number, number, raw) for number, raw in enumerate(raws)]


def test_records_of_other_types_are_passed_over() -> None:
    """A loss among them: the event's own counter tells it sooner."""
    flat = a_record(LOST, struct.pack("=QQ", 1, 5)) + a_sample(b"\1\2\3\4") + a_record(99, b"")

    assert [one.raw for one in samples(flat)] == [b"\1\2\3\4"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_a_typed_error(flat: bytes) -> None:
    try:
        assert all(len(one.raw) <= len(flat) for one in samples(flat))
    except PerfMalformed as error:
        assert error.available < error.length or error.length < 8  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    "flat",
    [
        a_sample(b"\1\2\3\4")[:-1],
        b"\x09\0\0\0",
        a_record(9, bytes(8)),
        a_record(9, struct.pack("=IIQI", 1, 1, 1, 500)),
        struct.pack("=IHH", 9, 0, 0),
    ],
    ids=["truncated", "half a header", "no room for its fields", "raw longer than the record", "of no length"],
)
def test_a_record_that_lies_about_its_length_is_refused(flat: bytes) -> None:
    with pytest.raises(PerfMalformed):
        list(samples(flat))


@given(st.binary(min_size=64, max_size=64), st.integers(0, 1000), st.integers(0, 64))
def test_what_wraps_around_the_end_is_made_whole(ring: bytes, tail: int, length: int) -> None:
    flat = unread(memoryview(ring), tail + length, tail)

    assert flat == bytes(ring[(tail + number) % 64] for number in range(length))


@pytest.mark.parametrize(("head", "tail"), [(65, 0), (0, 1)])
def test_marks_that_cannot_be_are_refused(head: int, tail: int) -> None:
    with pytest.raises(PerfMalformed):
        unread(memoryview(bytes(64)), head, tail)

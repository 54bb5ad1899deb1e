"""Walking netlink answers: every record is found, every defect is named."""

import contextlib
import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.errors import DumpInterrupted, DumpRefused, DumpTruncated
from agent.netlink.messages import LOOK_AHEAD, ends_dump, records
from tests.kernel_bytes import V4_FULL, V4_MINI, V6_FULL, a_socket, done, message, record

LENGTHS = st.lists(st.sampled_from([V4_FULL, V4_MINI, V6_FULL, 88, 260]), max_size=60)
RUNS = st.lists(st.tuples(st.sampled_from([V4_FULL, V4_MINI, V6_FULL]), st.integers(1, 40)), max_size=6)


def found(data: bytes) -> list[int]:
    return [at for offsets in records(memoryview(data)) for at in offsets]


def begins(lengths: list[int]) -> list[int]:
    return [sum(lengths[:number]) for number in range(len(lengths))]


@given(LENGTHS)
def test_every_record_is_found_where_it_begins_whatever_the_mix(lengths: list[int]) -> None:
    data = b"".join(record(a_socket(), length) for length in lengths) + done()

    assert found(data) == begins(lengths)


@given(RUNS)
def test_runs_of_equal_records_are_found_whole(runs: list[tuple[int, int]]) -> None:
    lengths = [length for length, count in runs for _ in range(count)]

    assert found(b"".join(record(a_socket(), length) for length in lengths)) == begins(lengths)


def test_a_long_run_is_one_range_that_c_code_can_read() -> None:
    stretches = list(records(memoryview(record(a_socket()) * (LOOK_AHEAD + 5) + done())))

    assert stretches == [range(0, (LOOK_AHEAD + 5) * V4_FULL, V4_FULL)]


def test_what_follows_the_end_is_not_read() -> None:
    assert found(record(a_socket()) + done() + b"garbage") == [0]


def test_an_error_of_the_kernel_is_refusal_with_its_errno() -> None:
    refusal = message(2, struct.pack("=i", -errno.EPERM) + bytes(16))

    with pytest.raises(DumpRefused) as caught:
        found(refusal)

    assert caught.value.code == errno.EPERM
    assert "EPERM" in str(caught.value)


def test_a_dump_that_fails_at_its_end_is_refusal_too() -> None:
    with pytest.raises(DumpRefused):
        found(record(a_socket()) + done(-errno.ENOBUFS))


@given(st.integers(1, V4_FULL * 20 - 1))
def test_a_dump_cut_anywhere_but_between_records_is_truncated(keep: int) -> None:
    data = (record(a_socket()) * 20)[:keep]
    if keep % V4_FULL == 0:
        assert len(found(data)) == keep // V4_FULL
    else:
        with pytest.raises(DumpTruncated):
            found(data)


def test_a_record_shorter_than_its_struct_is_truncated() -> None:
    with pytest.raises(DumpTruncated):
        found(message(20, bytes(40)))


@pytest.mark.parametrize("position", [0, 5, 30])
def test_a_table_that_changed_under_the_dump_is_an_interruption(position: int) -> None:
    """The flag may stand on any message, in the middle of a long run too."""
    messages = [record(a_socket())] * 40
    messages[position] = record(a_socket(), flags=2 | 0x10)

    with pytest.raises(DumpInterrupted):
        found(b"".join(messages))


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused_by_a_typed_error(data: bytes) -> None:
    with contextlib.suppress(DumpRefused, DumpTruncated, DumpInterrupted):
        assert all(at < len(data) for at in found(data))


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (record(a_socket()) * 3, False),
        (record(a_socket()) * 3 + done(), True),
        (done(), True),
        (message(2, struct.pack("=i", -1) + bytes(16)), True),
        (b"", True),
    ],
)
def test_the_last_receive_of_a_dump_is_known_without_walking_it(data: bytes, ends: bool) -> None:
    assert ends_dump(memoryview(data), 0, len(data)) is ends

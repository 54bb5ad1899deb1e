"""A body opened as it was packed tells what a full reading tells."""

from dataclasses import replace

import msgspec

from collector.packed import opened, part_of
from shared import wire
from shared.model import Evidence, Unreadable
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot


def test_what_could_not_be_read_and_what_was_logged_is_told() -> None:
    said = Evidence(a_pool(), "haproxy", "no free ports", 3, NOON_MS)
    plain = a_snapshot(a_reading())
    full = replace(plain, unreadable=(Unreadable(3, "no right to enter them"),), evidence=(said,))

    calm, told = opened(wire.encode(plain)), opened(wire.encode(full))

    assert calm
    assert told
    assert (calm.unreadable, bytes(calm.evidence)) == ([], b"")
    assert told.unreadable == [(3, "no right to enter them")]
    assert bytes(told.evidence)


def test_another_schema_and_what_is_no_body_is_left_to_a_full_reading() -> None:
    newer = msgspec.msgpack.encode(msgspec.msgpack.decode(wire.encode(a_snapshot())) | {"schema": 99})
    assert [opened(body) for body in (newer, b"", b"\x80", b"\xc1")] == [None] * 4


def test_a_part_has_the_rows_that_were_asked_for_and_the_namespaces() -> None:
    whole = a_snapshot(a_reading(1), a_reading(2, pool=a_pool(9002)), namespaces=[a_namespace(reserved=7)])
    body = wire.encode(whole)
    wire.decode(body)  # A list of pools is known once it was read in full.
    found = opened(body)
    assert found
    part = part_of(found, [1])
    assert part
    assert (part.readings, part.namespaces) == (whole.readings[1:], whole.namespaces)


def test_of_a_list_that_was_never_read_there_is_no_part() -> None:
    found = opened(wire.encode(a_snapshot(a_reading(pool=a_pool(4_711)))))
    assert found
    assert part_of(found, [0]) is None

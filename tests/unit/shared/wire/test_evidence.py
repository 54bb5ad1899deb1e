"""What applications logged travels with the pools it is about."""

from dataclasses import replace

import msgpack
import pytest

from shared.limits import MAX_EVIDENCE
from shared.model import Evidence
from shared.wire import Malformed, decode, encode
from tests.builders import NOON_MS, a_reading, a_snapshot

READING = a_reading(300)
SAID = Evidence(READING.pool, "haproxy", "Connect() failed for backend app: no free ports", 12, NOON_MS)


def test_evidence_arrives_with_its_pool() -> None:
    snapshot = replace(a_snapshot(READING), evidence=(SAID, replace(SAID, pool=None, program="")))

    assert decode(encode(snapshot)).evidence == snapshot.evidence


def test_nothing_is_said_where_there_is_nothing() -> None:
    assert "evidence" not in msgpack.unpackb(encode(a_snapshot(READING)))


def test_a_pool_that_is_not_listed_is_told_as_unknown() -> None:
    other = replace(READING.pool, peer_port=9)

    assert decode(encode(replace(a_snapshot(READING), evidence=(replace(SAID, pool=other),)))).evidence[0].pool is None


def test_more_than_the_bound_is_left_out_by_the_sender() -> None:
    much = tuple(replace(SAID, count=number) for number in range(MAX_EVIDENCE + 5))

    assert decode(encode(replace(a_snapshot(READING), evidence=much))).evidence == much[:MAX_EVIDENCE]


@pytest.mark.parametrize(
    ("evidence", "where"),
    [
        (7, "evidence"),
        ([[0, "a", "b", 1, 1]] * (MAX_EVIDENCE + 1), "evidence"),
        ([[2, "a", "b", 1, 1]], r"evidence\[0\]"),
        ([[0, "a", "b\n", 1, 1]], r"evidence\[0\]"),
        ([[0, "a", "b" * 201, 1, 1]], r"evidence\[0\]"),
        ([[0, "a", "b", -1, 1]], r"evidence\[0\]"),
        ([[0, "a", "b", 1]], r"evidence\[0\]"),
    ],
)
def test_evidence_that_is_none_is_refused_by_its_place(evidence: object, where: str) -> None:
    document = msgpack.unpackb(encode(a_snapshot(READING)))

    with pytest.raises(Malformed, match=where):
        decode(msgpack.packb({**document, "evidence": evidence}))

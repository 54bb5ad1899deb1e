"""The wire: what goes in comes out, any bytes are read or refused, golden bodies decode for ever."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.addresses import V4_MAPPED_PREFIX
from shared.limits import MAX_BODY_BYTES, MAX_OWNER_CHARS, MAX_OWNERS, MAX_TIME_MS, MAX_UNREADABLE
from shared.model import AgentState, Kind, Namespace, Pool, Reading, Remainder, Snapshot, Unreadable
from shared.ports import PortRange
from shared.tcp import State
from shared.wire import Malformed, TooLarge, UnknownSchema, WireError, decode, encode
from shared.wire.claims import claims_on
from shared.wire.v1 import hash_of
from tests.builders import a_pool, a_reading, a_snapshot

GOLDEN = Path(__file__).parents[3] / "golden" / "wire"
NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:-]{0,30}\Z")
TEXTS = st.text(st.characters(categories=["L", "N", "P"]), max_size=20)
COUNTS = st.integers(0, 2**31 - 1)
KNEES = st.sampled_from([None, False, True])
V4 = st.binary(min_size=4, max_size=4)
V6 = st.binary(min_size=16, max_size=16).filter(lambda ip: ip[:12] != V4_MAPPED_PREFIX)


@st.composite
def readings(draw: st.DrawFn, netns: str) -> Reading:
    kind = draw(st.sampled_from(Kind))
    ip = draw(st.sampled_from([V4, V6]))
    peer, port = (draw(ip), draw(st.integers(1, 65_535))) if kind is Kind.CONNECT else (b"", 0)
    capacity = draw(st.integers(0, 65_535))
    held = draw(st.integers(0, capacity))
    low = draw(st.integers(0, capacity - held))
    high = draw(st.integers(low, capacity))
    states = draw(st.dictionaries(st.sampled_from(State), st.integers(1, 65_535), max_size=4))
    pool = Pool(netns, kind, draw(ip), peer, port)
    return Reading(pool, held, capacity, low, high, states, draw(st.integers(0, 65_535)), draw(TEXTS), draw(KNEES))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    names = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    ports = st.integers(1, 65_535)
    namespaces = tuple(
        Namespace(
            name=name,
            inode=draw(st.integers(0, 2**64 - 1)),
            port_range=PortRange(*sorted((draw(ports), draw(ports)))),
            reserved=draw(st.integers(0, 65_535)),
            blocked=draw(st.integers(0, 65_535)),
            settings=draw(st.dictionaries(TEXTS, st.integers(-1, 2**31), max_size=3)),
            totals=draw(st.dictionaries(st.sampled_from(State), COUNTS, max_size=3)),
            remainder=Remainder(draw(COUNTS), draw(COUNTS), draw(COUNTS)),
            claims=draw(st.none() | st.builds(claims_on, st.sets(ports, max_size=20), st.integers(0, MAX_TIME_MS))),
        )
        for name in names
    )
    listed = draw(
        st.lists(st.sampled_from(names).flatmap(readings), max_size=5, unique_by=lambda reading: reading.pool)
    )
    return Snapshot(
        host=draw(NAMES),
        boot_id=draw(NAMES),
        seq=draw(st.integers(0, 2**53 - 1)),
        taken_at_ms=draw(st.integers(0, 2**53 - 1)),
        agent_version=draw(TEXTS),
        interval_ms=draw(st.integers(1, 1000)),
        labels=draw(st.dictionaries(st.from_regex(r"\A[a-z_]{1,8}\Z"), TEXTS, max_size=3)),
        namespaces=namespaces,
        readings=tuple(listed),
        unreadable=tuple(draw(st.lists(st.builds(Unreadable, COUNTS, TEXTS), max_size=3))),
        failure=draw(st.none() | TEXTS),
        machine_id=draw(st.sampled_from(["", "0123456789abcdef0123456789abcdef"])),
        state=draw(st.none() | st.builds(AgentState, cpu_ms=COUNTS, revision=COUNTS, why=TEXTS)),
        uptime_ms=draw(st.sampled_from([0, 1, MAX_TIME_MS])),
    )


def a_document(**changes: Any) -> dict[str, Any]:
    """A body that decodes, as plain values, with keys replaced or (None) left out."""
    identities = [[0, 0, b"\x7f\0\0\1", b"\x7f\0\0\1", 9001]]
    document = {
        "schema": 1, "host": "lb1", "boot_id": "b", "seq": 1, "taken_at_ms": 1, "interval_ms": 1000, "agent": "0",
        "labels": {}, "failure": None,
        "namespaces": [{"name": "host", "inode": 1, "range": [40000, 40299], "reserved": 0, "blocked": 0,
                        "settings": {}, "totals": {}, "remainder": [0, 0, 0]}],
        "identities": identities, "identities_hash": hash_of(identities),
        "columns": {"held": b"\x0a\0", "capacity": b"\x2c\x01",
                    "headroom_min": b"\x22\x01", "headroom_max": b"\x22\x01"},
        **changes,
    }  # fmt: skip
    if "identities" in changes and "identities_hash" not in changes:
        document["identities_hash"] = hash_of(changes["identities"])
    return document


def packed(**changes: Any) -> bytes:
    body: bytes = msgpack.packb(a_document(**changes), use_bin_type=True)
    return body


@given(snapshots())
def test_decode_gives_back_what_was_encoded(snapshot: Snapshot) -> None:
    assert decode(encode(snapshot)) == snapshot


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_a_typed_error(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


@given(snapshots(), st.data())
def test_a_damaged_body_is_read_or_refused_by_a_typed_error(snapshot: Snapshot, data: st.DataObject) -> None:
    body = bytearray(encode(snapshot))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(body))
    except WireError as error:
        assert str(error)  # noqa: PT017 - a flipped bit in a count is still a snapshot


@given(snapshots(), st.data())
def test_a_truncated_body_is_refused(snapshot: Snapshot, data: st.DataObject) -> None:
    body = encode(snapshot)

    with pytest.raises(Malformed):
        decode(body[: data.draw(st.integers(0, len(body) - 1))])


def test_unknown_keys_and_columns_are_ignored_so_that_newer_agents_are_understood() -> None:
    columns = a_document()["columns"] | {"novelties": b"\0\0\0"}

    assert decode(packed(novelty={"a": [1]}, columns=columns)).host == "lb1"


def test_failures_and_owners_travel_only_where_there_are_any() -> None:
    """A calm host pays nothing for them, and an older collector passes over them."""
    calm, hot = a_reading(), a_reading(299, pool=a_pool(9002))
    troubled = replace(hot, failures=70_000, owner="haproxy.service, pid 1312")

    silent = msgpack.unpackb(encode(a_snapshot(calm, hot)))
    told = decode(encode(a_snapshot(calm, troubled)))

    assert "owners" not in silent
    assert not {"failures", "owner"} & silent["columns"].keys()
    assert [(one.failures, one.owner) for one in told.readings] == [(0, ""), (65_535, "haproxy.service, pid 1312")]


def test_recyclable_time_waits_travel_only_where_there_are_any() -> None:
    told = decode(encode(a_snapshot(replace(a_reading(), recyclable=812), a_reading(pool=a_pool(9002)))))

    assert [one.recyclable for one in told.readings] == [812, 0]
    assert "recyclable" not in msgpack.unpackb(encode(a_snapshot(a_reading())))["columns"]


def test_the_knee_travels_only_where_it_was_looked_for() -> None:
    """Silence and "no" are not the same."""
    readings = [replace(a_reading(pool=a_pool(9001 + n)), knee=knee) for n, knee in enumerate((None, False, True))]

    told = decode(encode(a_snapshot(*readings)))

    assert [one.knee for one in told.readings] == [None, False, True]
    assert "knee" not in msgpack.unpackb(encode(a_snapshot(a_reading())))["columns"]


def test_owners_past_the_bound_go_unnamed_and_the_rest_still_travels() -> None:
    readings = [replace(a_reading(pool=a_pool(port)), owner=f"pod {port}") for port in range(1, MAX_OWNERS + 3)]

    told = decode(encode(a_snapshot(*readings)))

    assert [one.owner for one in told.readings[-3:]] == [f"pod {MAX_OWNERS}", "", ""]


def test_what_could_not_be_read_travels_only_where_there_is_any() -> None:
    partial = replace(a_snapshot(a_reading()), unreadable=(Unreadable(2, "needs CAP_SYS_ADMIN"),))

    assert decode(encode(partial)).unreadable == partial.unreadable
    assert "unreadable" not in msgpack.unpackb(encode(a_snapshot(a_reading())))


def test_reasons_past_the_bound_are_summed_up() -> None:
    reasons = tuple(Unreadable(number, f"reason {number}") for number in range(MAX_UNREADABLE + 4))

    told = decode(encode(replace(a_snapshot(), unreadable=reasons))).unreadable

    assert len(told) == MAX_UNREADABLE
    assert sum(one.namespaces for one in told) == sum(one.namespaces for one in reasons)


def test_an_unknown_schema_is_told_with_the_ones_that_are_known() -> None:
    with pytest.raises(UnknownSchema) as caught:
        decode(packed(schema=9))

    assert (caught.value.found, caught.value.supported) == (9, (1,))


def test_a_body_beyond_the_limit_is_not_even_unpacked() -> None:
    with pytest.raises(TooLarge):
        decode(bytes(MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"schema": "1"}, "schema"),
        ({"schema": True}, "schema"),
        ({"host": ""}, "host"),
        ({"host": "<script>"}, "host"),
        ({"host": "x" * 254}, "host"),
        ({"host": b"lb1"}, "host"),
        ({"boot_id": None}, "boot_id"),
        ({"seq": -1}, "seq"),
        ({"seq": 2**53}, "seq"),
        ({"seq": 1.0}, "seq"),
        ({"interval_ms": 0}, "interval_ms"),
        ({"agent": "a\nb"}, "agent"),
        ({"labels": {"a b": "x"}}, "labels"),
        ({"labels": {f"l{n}": "x" for n in range(33)}}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"failure": "x" * 2000}, "failure"),
        ({"namespaces": {}}, "namespaces"),
        ({"namespaces": [1]}, "namespaces[0]"),
        ({"namespaces": [{**a_document()["namespaces"][0], "range": [9, 1]}]}, "namespaces[0].range"),
        ({"namespaces": [{**a_document()["namespaces"][0], "range": [1]}]}, "namespaces[0].range"),
        ({"namespaces": [{**a_document()["namespaces"][0], "blocked": 70000}]}, "namespaces[0].blocked"),
        ({"namespaces": [{**a_document()["namespaces"][0], "remainder": [1, 2]}]}, "namespaces[0].remainder"),
        ({"namespaces": a_document()["namespaces"] * 2}, "namespaces"),
        ({"identities_hash": bytes(16)}, "identities_hash"),
        ({"identities": [[1, 0, b"\x7f\0\0\1", b"\x7f\0\0\1", 1]]}, "identities[0]"),
        ({"identities": [[0, 9, b"\x7f\0\0\1", b"\x7f\0\0\1", 1]]}, "identities[0]"),
        ({"identities": [[0, 0, b"\x7f\0\0", b"\x7f\0\0\1", 1]]}, "identities[0]"),
        ({"identities": [[0, 0, b"\x7f\0\0\1", bytes(16), 1]]}, "identities[0]"),
        ({"identities": [[0, 0, b"\x7f\0\0\1", b"\x7f\0\0\1", 0]]}, "identities[0]"),
        ({"identities": [[0, 0, b"\x7f\0\0\1"]]}, "identities[0]"),
        ({"identities": [[0, 0, b"\x7f\0\0\1", b"\x7f\0\0\1", 1]] * 2}, "identities"),
        ({"columns": {}}, "columns.held"),
        ({"columns": {**a_document()["columns"], "held": b"\0"}}, "columns.held"),
        ({"columns": {**a_document()["columns"], "held": [1]}}, "columns.held"),
        ({"columns": {**a_document()["columns"], "held": b"\xff\xff"}}, "columns"),
        ({"columns": {**a_document()["columns"], "headroom_min": b"\x23\x01"}}, "columns"),
        ({"columns": {**a_document()["columns"], "TIME_WAIT": b"\0\0\0\0"}}, "columns.TIME_WAIT"),
        ({"columns": {**a_document()["columns"], "failures": b"\0"}}, "columns.failures"),
        ({"columns": {**a_document()["columns"], "owner": b"\0"}, "owners": ["a"]}, "columns.owner"),
        ({"columns": {**a_document()["columns"], "owner": b"\2\0"}, "owners": ["a"]}, "columns.owner"),
        ({"columns": {**a_document()["columns"], "owner": b"\1\0"}}, "columns.owner"),
        ({"columns": {**a_document()["columns"], "knee": b"\3\0"}}, "columns.knee"),
        ({"unreadable": 2}, "unreadable"),
        ({"unreadable": [[1]]}, "unreadable[0]"),
        ({"unreadable": [[-1, "x"]]}, "unreadable[0]"),
        ({"unreadable": [[1, "a\nb"]]}, "unreadable[0]"),
        ({"unreadable": [[1, "x"]] * (MAX_UNREADABLE + 1)}, "unreadable"),
        ({"owners": "haproxy"}, "owners"),
        ({"owners": [1]}, "owners"),
        ({"owners": ["a\nb"]}, "owners"),
        ({"owners": ["x" * (MAX_OWNER_CHARS + 1)]}, "owners"),
        ({"owners": ["x"] * (MAX_OWNERS + 1)}, "owners"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(packed(**changes))

    assert caught.value.where == where


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\xc7\x08\x05" + bytes(8),
        b"\xd6\xff\0\0\0\0",
        b"\x82\xa1a\x01\xa1a\x02",
        b"\x81\xc4\x01a\x01",
        b"\xa2\xff\xfe",
        b"\xc1",
    ],
)
def test_hostile_msgpack_is_refused(bomb: bytes) -> None:
    """Lengths that lie, nesting, extension types, keys twice, keys of other types, text that is not UTF-8."""
    with pytest.raises(Malformed):
        decode(bomb)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.msgpack")), ids=lambda path: path.stem)
def test_golden_bodies_decode_for_ever(path: Path) -> None:
    told = json.loads(path.with_suffix(".json").read_text())

    snapshot = decode(path.read_bytes())

    assert {
        "host": snapshot.host,
        "seq": snapshot.seq,
        "namespaces": [namespace.name for namespace in snapshot.namespaces],
        "readings": [[str(one.pool), one.held, one.capacity] for one in snapshot.readings],
        "failure": snapshot.failure,
        **_additions(snapshot),
    } == told


def _additions(snapshot: Snapshot) -> dict[str, Any]:
    """What bodies tell since it travels; those from before have none of it."""
    told = [[one.failures, one.owner] for one in snapshot.readings]
    unreadable = [[one.namespaces, one.why] for one in snapshot.unreadable]
    claims = [one.claims and [one.claims.since_ms, sorted(one.claims.ports)] for one in snapshot.namespaces]
    recyclable = [one.recyclable for one in snapshot.readings]
    return {
        **({"claims": claims} if any(claims) else {}),
        **({"recyclable": recyclable} if any(recyclable) else {}),
        **({"failures_and_owners": told} if any(failures or owner for failures, owner in told) else {}),
        **({"unreadable": unreadable} if unreadable else {}),
        **({"machine_id": snapshot.machine_id} if snapshot.machine_id else {}),
        **({"uptime_ms": snapshot.uptime_ms} if snapshot.uptime_ms else {}),
        **({"state": asdict(snapshot.state) | {"features": list(snapshot.state.features)}} if snapshot.state else {}),
    }


@pytest.mark.parametrize("told", [7, "xyz", "7A3A446749FB4D37AA487308CE227768", None])
def test_a_machine_id_is_32_hex_digits_or_left_out(told: object) -> None:
    document = {**a_document(), "machine_id": told}

    with pytest.raises(Malformed, match="machine_id"):
        decode(msgpack.packb(document))


@pytest.mark.parametrize("told", [-1, "7", 1.5, None, MAX_TIME_MS + 1])
def test_an_uptime_is_milliseconds_or_left_out(told: object) -> None:
    with pytest.raises(Malformed, match="uptime_ms"):
        decode(msgpack.packb({**a_document(), "uptime_ms": told}))


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (7, "state"),
        ({"revision": -1}, "state.revision"),
        ({"started_ms": True}, "state.started_ms"),
        ({"why": "a\nb"}, "state.why"),
        ({"why": "x" * 1025}, "state.why"),
        ({"features": ["x"] * 33}, "state.features"),
        ({"features": [7]}, "state.features"),
    ],
)
def test_an_agents_state_is_checked_key_by_key(told: object, key: str) -> None:
    with pytest.raises(Malformed, match=key):
        decode(msgpack.packb({**a_document(), "state": told}))


def test_of_an_agents_state_what_a_newer_one_adds_is_passed_over() -> None:
    found = decode(msgpack.packb({**a_document(), "state": {"revision": 3, "mood": "good"}}))
    assert found.state == AgentState(revision=3)


def test_there_are_golden_bodies() -> None:
    assert len(list(GOLDEN.glob("v1_*.msgpack"))) >= 2

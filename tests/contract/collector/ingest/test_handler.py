"""POST /v1/snapshots: what is taken, what is refused, and that a refusal stores nothing."""

import asyncio
import gzip
from dataclasses import replace

import msgpack
import pytest
from aiohttp import ClientSession

from collector.access.token import Scope
from collector.ingest.admission import Admission
from collector.storage import tokens
from collector.storage.database import Database
from shared import wire
from shared.limits import MAX_BODY_BYTES
from shared.model import Snapshot
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting, collecting

BODY = wire.encode(a_snapshot(a_reading()))


async def nothing_is_stored(collector: Collecting) -> bool:
    return not (await collector.get("/v1/hosts"))["items"]


async def test_a_snapshot_is_taken(collector: Collecting) -> None:
    status, answer = await collector.post(BODY)
    assert (status, answer) == (202, {"accepted": True, "duplicate": False, "config_revision": 0})


async def test_taking_it_twice_is_harmless(collector: Collecting) -> None:
    await collector.post(BODY)
    status, answer = await collector.post(BODY)
    assert (status, answer["duplicate"]) == (202, True)
    host = await collector.get("/v1/hosts/lb1")
    assert (host["received"], host["duplicates"], host["missing"]) == (1, 1, 0)


async def test_the_same_snapshot_sent_twice_at_once_is_kept_once(collector: Collecting) -> None:
    answers = await asyncio.gather(*(collector.post(BODY) for _ in range(10)))
    assert sorted(answer["duplicate"] for _, answer in answers) == [False] + [True] * 9


async def test_gaps_are_counted_and_closed_by_late_ones(collector: Collecting) -> None:
    await collector.push(a_snapshot(seq=1), a_snapshot(seq=5))
    assert (await collector.get("/v1/hosts/lb1"))["missing"] == 3
    await collector.push(a_snapshot(seq=3))
    host = await collector.get("/v1/hosts/lb1")
    assert (host["missing"], host["last_seq"], host["received"]) == (2, 5, 3)


async def test_a_new_boot_leaves_no_gap(collector: Collecting) -> None:
    await collector.push(a_snapshot(seq=900), a_snapshot(boot_id="boot-2", seq=1, taken_at_ms=collector.clock() + 1))
    collector.clock.turn(10)
    host = await collector.get("/v1/hosts/lb1")
    assert (host["missing"], host["received"]) == (0, 2)


async def test_gzip_is_inflated(collector: Collecting) -> None:
    status, _ = await collector.post(gzip.compress(BODY), Content_Encoding="gzip")
    assert status == 202
    assert len((await collector.get("/v1/pools"))["items"]) == 1


async def test_a_gzip_bomb_is_refused_without_being_inflated(collector: Collecting) -> None:
    """1 GiB of zeros in 1 MB. Memory is measured in tests/integration."""
    bomb = gzip.compress(bytes(64 * MAX_BODY_BYTES))
    assert len(bomb) < MAX_BODY_BYTES
    status, problem = await collector.post(bomb, Content_Encoding="gzip")
    assert (status, problem["limit"]) == (413, MAX_BODY_BYTES)
    assert await nothing_is_stored(collector)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "made-up"])
async def test_an_encoding_that_is_not_read_is_named_with_those_that_are(collector: Collecting, encoding: str) -> None:
    status, problem = await collector.post(BODY, Content_Encoding=encoding)
    assert (status, problem["accepted"]) == (415, ["identity", "gzip"])


async def test_another_content_type_is_refused(collector: Collecting) -> None:
    status, problem = await collector.post(BODY, Content_Type="application/json")
    assert (status, problem["supported"]) == (415, [1])


async def test_an_unknown_schema_is_answered_with_the_known_ones(collector: Collecting) -> None:
    status, problem = await collector.post(msgpack.packb({"schema": 99}))
    assert (status, problem["found"], problem["supported"]) == (415, 99, [1])
    assert await nothing_is_stored(collector)


HOSTILE = {
    "nothing": b"",
    "truncated": BODY[:-1],
    "text": b"hello",
    "trailing": BODY + b"\x00",
    "not a map": msgpack.packb([1, 2, 3]),
    "no schema": msgpack.packb({"host": "lb1"}),
    "nested": b"\x91" * 100_000,
    "array of 4 billion": b"\xdd\xff\xff\xff\xff",
    "bytes of 4 GB": b"\xc6\xff\xff\xff\xff",
    "map of 4 billion": b"\xdf\xff\xff\xff\xff",
    "extension": msgpack.packb({"schema": msgpack.ExtType(1, b"x")}),
    "empty maps": b"\xdc\xff\xff" + b"\x80" * 65_535,
    "wrong types": msgpack.packb({"schema": 1, "host": 7}),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_broken_or_hostile_body_is_refused_and_nothing_stored(collector: Collecting, body: bytes) -> None:
    status, problem = await collector.post(body)
    assert (status, problem["status"], problem["title"]) == (400, 400, "Bad Request")
    assert await nothing_is_stored(collector)


async def test_a_body_that_is_not_gzip_though_it_says_so_is_refused(collector: Collecting) -> None:
    status, _ = await collector.post(BODY, Content_Encoding="gzip")
    assert status == 400


async def test_a_truncated_gzip_is_refused(collector: Collecting) -> None:
    status, _ = await collector.post(gzip.compress(BODY)[:-12], Content_Encoding="gzip")
    assert status == 400
    assert await nothing_is_stored(collector)


async def test_a_body_past_the_limit_is_refused(collector: Collecting) -> None:
    status, problem = await collector.post(bytes(MAX_BODY_BYTES + 1))
    assert (status, problem["limit"]) == (413, MAX_BODY_BYTES)


async def test_a_body_of_unknown_length_is_refused_once_it_is_past_the_limit(collector: Collecting) -> None:
    async def endless() -> object:
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield bytes(65_536)

    headers = {"Authorization": f"Bearer {collector.tokens['push']}", "Content-Type": wire.CONTENT_TYPE}
    async with collector.session.post(f"{collector.url}/v1/snapshots", data=endless(), headers=headers) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    "authorization", ["", "Basic Zm9v", "Bearer", "Bearer nonsense", f"Bearer pg_{'0' * 12}_{'x' * 43}"]
)
async def test_without_a_known_token_nothing_is_read(collector: Collecting, authorization: str) -> None:
    status, _ = await collector.post(BODY, Authorization=authorization)
    assert status == 401
    assert await nothing_is_stored(collector)


async def test_the_refusal_of_a_token_says_what_is_wanted(collector: Collecting) -> None:
    async with ClientSession() as session, session.post(f"{collector.url}/v1/snapshots", data=BODY) as response:
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_revoked_token_is_refused_at_once(collector: Collecting) -> None:
    token = await collector.token(Scope.PUSH)
    assert (await collector.post(BODY, token))[0] == 202
    async with collector.db.writing() as connection:
        assert await tokens.revoke(connection, token.split("_")[1], collector.clock())
    assert (await collector.post(BODY, token))[0] == 401


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
async def test_a_token_of_another_scope_cannot_push(collector: Collecting, scope: Scope) -> None:
    assert (await collector.post(BODY, await collector.token(scope)))[0] == 403


async def test_a_token_bound_to_a_host_speaks_for_no_other(collector: Collecting) -> None:
    token = await collector.token(Scope.PUSH, "lb1")
    assert (await collector.post(BODY, token))[0] == 202
    status, problem = await collector.post(wire.encode(a_snapshot(host="lb2")), token)
    assert (status, problem["title"]) == (403, "Forbidden")
    assert [host["host"] for host in (await collector.get("/v1/hosts"))["items"]] == ["lb1"]


async def test_what_does_not_fit_is_put_off(db: Database) -> None:
    async with collecting(db, admission=Admission(max_bytes=len(BODY) - 1)) as collector:
        headers = {"Authorization": f"Bearer {collector.tokens['push']}", "Content-Type": wire.CONTENT_TYPE}
        async with collector.session.post(f"{collector.url}/v1/snapshots", data=BODY, headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "2")


async def test_another_snapshot_under_a_name_that_is_taken_is_refused_and_reported(
    collector: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    await collector.push(a_snapshot(a_reading(1)))
    status, problem = await collector.post(wire.encode(a_snapshot(a_reading(2))))
    assert (status, problem["host"], problem["seq"]) == (409, "lb1", 1)
    assert "do two agents share one spool?" in problem["detail"]
    assert "snapshots refused" in caplog.text
    await collector.push(a_snapshot(a_reading(1)))
    host = await collector.get("/v1/hosts/lb1")
    assert (host["received"], host["duplicates"]) == (1, 1)


async def test_two_machines_under_one_name_are_told(collector: Collecting) -> None:
    def of(machine: str, boot_id: str, seq: int) -> Snapshot:
        taken_ms = collector.clock()
        return replace(a_snapshot(boot_id=boot_id, seq=seq, taken_at_ms=taken_ms), machine_id=machine * 32)

    contested = []
    for seq in (1, 2):
        for machine in "ab":
            collector.clock.turn(5)
            await collector.push(of(machine, f"boot-{machine}", seq))
            contested.append((await collector.get("/v1/hosts/lb1"))["contested"])
    assert contested == [False, True, True, True]
    collector.clock.turn(3_600)
    assert (await collector.get("/v1/hosts/lb1"))["contested"] is False

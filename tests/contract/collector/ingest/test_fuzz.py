"""Nothing that anybody sends is the collector's fault: `make fuzz` sends a hundred thousand."""

import pytest

from shared import wire
from tests.collecting import Collecting
from tests.fuzz import ASKED, BOMBS, FULL, fuzzed, unnamed

CASES = 1_500


async def test_damaged_bodies_and_absurd_questions_are_refused_and_never_a_fault(collector: Collecting) -> None:
    told = await fuzzed(collector, CASES, seed=7)
    assert told.wrong == []
    assert sum(told.statuses.values()) == CASES
    assert told.statuses[202] > 10


@pytest.mark.parametrize("number", range(len(BOMBS)))
async def test_a_bomb_is_refused_for_what_it_is(collector: Collecting, number: int) -> None:
    encoding, body = BOMBS[number]
    assert len(body) < 100_000
    status, _ = await collector.post(body, Content_Encoding=encoding)
    assert status in ({415} if encoding == "zstd" else {400, 413})


async def test_a_host_may_list_so_many_pools_and_not_one_more(collector: Collecting) -> None:
    most, more = FULL
    assert (await collector.post(most))[0] == 202
    status, problem = await collector.post(more)
    assert (status, problem["type"]) == (400, "urn:portgauge:problem:malformed") or status == 413
    assert [len(wire.decode(most).readings), len((await collector.get("/v1/hosts"))["items"])] == [10_000, 1]


def test_the_fuzzer_sees_a_refusal_that_blames_nothing_or_another() -> None:
    operation = ASKED["/v1/trend"]
    problem = {"type": "urn:portgauge:problem:invalid-parameter", "detail": "host: is required", "parameter": "host"}
    assert unnamed(problem, operation, {"peer": "::1"}) is None
    assert unnamed(problem, ASKED["/v1/top"], {"limit": "x"}) == "'host' is named, which is none of ['limit']"
    assert unnamed({"type": problem["type"], "detail": "no"}, operation, {}) == (
        "a refused question names no parameter (no)"
    )
    assert unnamed(problem | {"detail": "no"}, operation, {}) == "'host' is not in 'no'"

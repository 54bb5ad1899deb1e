"""Query parameters."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.params import InvalidParameter, Params
from tests.builders import NOON_MS


def params(**values: str) -> Params:
    return Params(list(values.items()), list(values))


def test_a_typo_is_refused_with_the_nearest_name() -> None:
    """Ignoring it would answer a wider question than was asked."""
    with pytest.raises(InvalidParameter, match="did you mean 'peer'"):
        Params([("pear", "10.0.0.1")], ("host", "peer"))


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="twice"):
        Params([("host", "a"), ("host", "b")], ("host",))


def test_a_missing_one_is_explained_by_example() -> None:
    with pytest.raises(InvalidParameter, match="peer=10"):
        Params([], ["peer"]).required("peer", "10.0.0.2:8080")


def test_one_that_is_read_but_not_declared_is_a_mistake_of_ours() -> None:
    """It would be documented nowhere."""
    with pytest.raises(LookupError, match="not declared"):
        params().text("peer")


def test_a_nul_is_in_no_value() -> None:
    """PostgreSQL keeps none in its texts."""
    with pytest.raises(InvalidParameter, match="NUL"):
        params(host="lb\0")


@pytest.mark.parametrize("text", ["0", "10001", "-1", "ten", "1.5", "٣", "9" * 30])
def test_a_number_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="from 1 to 10000"):
        params(limit=text).integer("limit", default=5, low=1, high=10_000)


@pytest.mark.parametrize("text", ["1.01", "-0.1", "nan", "inf", "half"])
def test_a_share_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="from 0 to 1"):
        params(min_occupancy=text).number("min_occupancy", low=0.0, high=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00",
        "2026-11-22 12:00",
        "2026-11-22T13:00:00+01:00",
        "2026-11-22T13:00:00 01:00",
        "1795348800",
        "1795348800.000",
    ],
)
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert params(to=text).time_ms("to") == NOON_MS


@pytest.mark.parametrize("text", ["noon", "-5", "1e9", "2026-13-01", "0001-01-01", "9999999999999"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter):
        params(to=text).time_ms("to")


@pytest.mark.parametrize(
    ("text", "port"),
    [("10.0.0.1", None), ("10.0.0.1:80", 80), ("fd00::1", None), ("[fd00::1]", None), ("[fd00::1]:80", 80)],
)
def test_a_peer_may_leave_out_its_port(text: str, port: int | None) -> None:
    endpoint = params(peer=text).endpoint("peer")
    assert endpoint
    assert endpoint[1] == port


def test_a_mapped_address_is_the_address_it_maps() -> None:
    assert params(peer="[::ffff:10.0.0.1]:80").endpoint("peer") == (bytes([10, 0, 0, 1]), 80)


@given(st.text(min_size=1))
def test_any_text_is_read_or_refused_on_purpose(text: str) -> None:
    for read in ("time_ms", "endpoint", "address"):
        with suppress(InvalidParameter):
            getattr(params(x=text), read)("x")

"""Ranges and lists of ports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports import InvalidPorts, PortRange, format_ports, parse_port_range, parse_ports


def test_both_ends_of_a_range_count() -> None:
    """The published script computes high - low and is off by one."""
    assert len(PortRange(32_768, 60_999)) == 28_232
    assert 32_768 in PortRange(32_768, 60_999)
    assert 60_999 in PortRange(32_768, 60_999)
    assert 61_000 not in PortRange(32_768, 60_999)


@pytest.mark.parametrize(("low", "high"), [(0, 10), (10, 9), (1, 65_536), (-5, 5)])
def test_a_range_without_ports_cannot_be_made(low: int, high: int) -> None:
    with pytest.raises(InvalidPorts, match="does not name ports"):
        PortRange(low, high)


@pytest.mark.parametrize("text", ["32768\t60999\n", "32768-60999", " 32768 60999 "])
def test_a_range_is_read_as_the_kernel_and_as_people_write_it(text: str) -> None:
    assert parse_port_range(text) == PortRange(32_768, 60_999)


@pytest.mark.parametrize("text", ["", "32768", "a-b", "1-2-3", "9-1", "٣-٤", "1-70000"])
def test_what_is_no_range_is_said_so(text: str) -> None:
    with pytest.raises(InvalidPorts):
        parse_port_range(text)


@given(st.frozensets(st.integers(0, 65_535)))
def test_a_list_of_ports_survives_the_way_through_text(ports: frozenset[int]) -> None:
    assert parse_ports(format_ports(ports)) == ports


def test_lists_are_as_short_as_the_kernel_writes_them() -> None:
    assert format_ports([9150, 8080, 9148, 9149, 8080]) == "8080,9148-9150"
    assert format_ports([]) == ""
    assert parse_ports("\n") == frozenset()


@pytest.mark.parametrize("text", ["x", "1-", "5-3", "1,,x", "70000", "-3"])
def test_what_is_no_list_is_said_so(text: str) -> None:
    with pytest.raises(InvalidPorts):
        parse_ports(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_by_a_typed_error(text: str) -> None:
    for parse in (parse_ports, parse_port_range):
        try:
            parse(text)
        except InvalidPorts as error:
            assert error.text == text.strip() or str(error)  # noqa: PT017 - both ways are right

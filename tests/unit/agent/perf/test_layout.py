"""A tracepoint's fields lie where its format file says, not where they lay on the kernel we grew up on."""

import sys

import pytest

from agent.failures import NEEDS
from agent.perf.errors import UnknownLayout
from agent.perf.layout import Field, parse_format
from tests.tracepoint import FORMAT


def test_numbers_names_and_sizes_are_read() -> None:
    layout = parse_format(FORMAT, NEEDS)

    assert layout.event_id == 2287
    assert layout.fields["common_pid"] == Field(4, 4, signed=True)
    assert layout.fields["saddr_v6"] == Field(40, 16, signed=False)
    assert layout.fields["skaddr"] == Field(8, 8, signed=False)


def test_a_field_is_found_where_another_kernel_put_it() -> None:
    """Before 5.6 `protocol` had one byte, and what follows lay one byte earlier."""
    moved = FORMAT.replace("dport;\toffset:26", "dport;\toffset:30")

    layout = parse_format(moved, NEEDS)

    assert layout.number(bytes(30) + (9001).to_bytes(2, sys.byteorder), "dport") == 9001


def test_signed_numbers_are_read_as_such() -> None:
    assert parse_format(FORMAT, {}).number(bytes(4) + b"\xff\xff\xff\xff", "common_pid") == -1


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("change", [("field", "feld"), ("size:", "size:9")])
def test_a_field_that_is_missing_or_of_another_size_is_named(name: str, change: tuple[str, str]) -> None:
    lines = [
        line.replace(*change) if f" {name};" in line or f" {name}[" in line else line for line in FORMAT.splitlines()
    ]

    with pytest.raises(UnknownLayout, match=f"field {name} of {NEEDS[name]} bytes"):
        parse_format("\n".join(lines), NEEDS)


def test_a_text_that_is_no_format_is_refused() -> None:
    with pytest.raises(UnknownLayout, match="ID line"):
        parse_format("", NEEDS)

"""A tracepoint's `format` file (tracefs): its number, and where in a raw sample each field lies. Pure.

    name: inet_sock_set_state
    ID: 2287
    format:
        field:unsigned short common_type;<TAB>offset:0;<TAB>size:2;<TAB>signed:0;
        field:__u8 saddr[4];<TAB>offset:32;<TAB>size:4;<TAB>signed:0;

Offsets moved between kernels (`protocol` grew from u8 to u16), so they are read, never assumed.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent.perf.errors import UnknownLayout

_ID = re.compile(r"^ID:\s*(\d+)\s*$", re.MULTILINE)
_FIELD = re.compile(r"^\s*field:[^;]*?(\w+)(?:\[\d*\])?;\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);", re.MULTILINE)


class Field(NamedTuple):
    """Where one field lies in a raw sample, in bytes."""

    offset: int
    size: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """One tracepoint."""

    event_id: int
    fields: Mapping[str, Field]

    def number(self, raw: bytes, name: str) -> int:
        """A field as an integer in the machine's byte order."""
        one = self.fields[name]
        return int.from_bytes(self.octets(raw, name), sys.byteorder, signed=one.signed)

    def octets(self, raw: bytes, name: str) -> bytes:
        """A field as it stands."""
        one = self.fields[name]
        return raw[one.offset : one.offset + one.size]


def parse_format(text: str, needs: Mapping[str, int]) -> Layout:
    """Read a format file; `needs` names fields that must be there, with their size in bytes. Raises UnknownLayout."""
    number = _ID.search(text)
    if number is None:
        raise UnknownLayout("ID line")
    fields = {name: Field(int(offset), int(size), signed == "1") for name, offset, size, signed in _FIELD.findall(text)}
    for name, size in needs.items():
        if name not in fields or fields[name].size != size:
            raise UnknownLayout(f"field {name} of {size} bytes")
    return Layout(int(number.group(1)), fields)

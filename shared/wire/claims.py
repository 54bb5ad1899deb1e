"""Ports that a wider range must not lend, as they travel: [since_ms, pairs of little-endian u16]. Pure.

A pair is the first and the last port of a stretch. Stretches ascend and do not touch, so a set of ports has one form.
"""

import struct
from collections.abc import Iterable
from typing import Any

from shared import limits
from shared.model import Claims
from shared.ports import HIGHEST_PORT, PortRange
from shared.wire.errors import Malformed

CLAIMS = "claims"
_PAIR = struct.Struct("<HH")


def row_of(claims: Claims) -> list[Any]:
    """The claims as the row that is packed."""
    return [claims.since_ms, b"".join(_PAIR.pack(one.low, one.high) for one in claims.stretches)]


def claims_of(row: Any, where: str) -> Claims:
    """The claims in a row. Raises Malformed."""
    match row:
        case [int(since_ms), bytes(packed)] if 0 <= since_ms <= limits.MAX_TIME_MS and is_sound(packed):
            return Claims(tuple(PortRange(*pair) for pair in _PAIR.iter_unpack(packed)), since_ms)
    most = f"at most {limits.MAX_CLAIMS} ascending stretches of ports"
    raise Malformed(f"{where}.{CLAIMS}", f"need [since_ms, {most}]")


def is_sound(packed: bytes) -> bool:
    """Whether these are ascending stretches of ports with a gap between them."""
    if len(packed) % _PAIR.size or len(packed) > limits.MAX_CLAIMS * _PAIR.size:
        return False
    last = -1
    for low, high in _PAIR.iter_unpack(packed):
        if not 1 <= low <= high or low <= last + 1:
            return False
        last = high
    return True


def claims_on(ports: Iterable[int], since_ms: int) -> Claims | None:
    """Claims on these ports; None where they do not fit the wire: part of them would look like all."""
    stretches: list[PortRange] = []
    for port in sorted(set(ports)):
        if not 1 <= port <= HIGHEST_PORT:
            continue
        if stretches and stretches[-1].high == port - 1:
            stretches[-1] = PortRange(stretches[-1].low, port)
        else:
            stretches.append(PortRange(port, port))
    return Claims(tuple(stretches), since_ms) if len(stretches) <= limits.MAX_CLAIMS else None

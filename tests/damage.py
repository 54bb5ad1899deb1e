"""Bodies, and what damage makes of them."""

import random
from pathlib import Path

from shared.wire import encode
from tests.builders import a_pool, a_reading, a_snapshot

GOLDEN = Path(__file__).parent / "golden" / "wire"
SEEDS = [path.read_bytes() for path in sorted(GOLDEN.glob("v1_*.msgpack"))]
LARGE = encode(a_snapshot(*(a_reading(pool=a_pool(port)) for port in range(1, 30))))
ODD = (0x00, 0x7F, 0x80, 0x90, 0xA0, 0xC0, 0xC1, 0xC4, 0xC7, 0xCA, 0xCF, 0xD4, 0xD9, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF)
"""Bytes that mean a type or a length to msgpack."""


def damaged(body: bytes, chance: random.Random) -> bytes:
    """One to four bytes changed, a stretch cut out, doubled or swapped in from another body, or an end cut off."""
    data = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.choice(ODD) if chance.random() < 0.5 else chance.randrange(256)
    begin = chance.randrange(len(data))
    end = min(len(data), begin + chance.randint(1, 20))
    match chance.randrange(6):
        case 0:
            del data[begin:end]
        case 1:
            data[begin:begin] = data[begin:end]
        case 2:
            other = chance.choice(SEEDS)
            data[begin:end] = other[begin:end]
        case 3:
            del data[begin:]
        case _:
            pass
    return bytes(data)

"""Write golden chunks of the newest form: `python -m tests.golden.record_history`. Old ones are never written anew."""

import json
from pathlib import Path
from typing import Any

from collector.history.chunk import INSTANTS, NAMESPACES, Chunk
from collector.history.codec import MAGIC, encode
from tests.columns import a_chunk, a_table

HERE = Path(__file__).parent / "history"


def document_of(chunk: Chunk) -> dict[str, Any]:
    """A chunk as JSON."""
    return {
        "times": chunk.times.tolist(),
        "texts": list(chunk.texts),
        "tables": {
            name: {
                "keys": table.keys.tolist(),
                "columns": list(table.columns),
                "present": table.present.astype(int).tolist(),
                "values": table.values.tolist(),
            }
            for name, table in chunk.tables.items()
        },
    }


def main() -> None:
    """One chunk with every kind of table, gaps, jumps and repeated instants."""
    HERE.mkdir(exist_ok=True)
    pools = a_chunk(
        texts=["0f0e0d0c.a1b2c3d4", "haproxy.service"],
        held=[[5, 6, None, 70_000], [0, 0, 0, 0], [None, None, 3, None]],
        capacity=[[28_232] * 4, [300, 300, 299, 298], [9, 9, 9, 9]],
        ESTABLISHED=[[5, 5, 5, 60_000], [0, 0, 0, 0], [3, 3, 3, 3]],
        TIME_WAIT=[[0, 1, 1, 10_000], [0, 0, 0, 0], [0, 0, 0, 0]],
    )
    instants = a_table(keys=[0], seq=[[7, 8, 9, 10]], boot=[[0, 0, 0, 0]])
    namespaces = a_table(keys=[1], totals=[[5, 6, None, 2**31]])
    times = pools.times.copy()
    times[1] = times[0]
    whole = Chunk(times, pools.texts, {INSTANTS: instants, NAMESPACES: namespaces, **pools.tables})
    file = HERE / f"{MAGIC.decode().lower()}_whole.pgh"
    file.write_bytes(encode(whole))
    file.with_suffix(".json").write_text(json.dumps(document_of(whole), indent=1) + "\n")


if __name__ == "__main__":
    main()

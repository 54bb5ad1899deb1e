"""Sample after sample in one process, each looked at anew, spooled and taken out again: to see whether it grows.

    python -m benchmarks.growing --samples 10000 --warm 2000

prints one JSON object: resident bytes after the warming up and after each tenth of the samples. Without the pushing,
which would be what takes the time.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from agent.cadence import Reason
from agent.config import AgentConfig
from agent.failures import Ledger
from agent.footprint import footprint
from agent.reporting import Reporter
from agent.spool import Spool
from agent.tallies import Samplings
from benchmarks.accepting import NOBODY, stir
from shared.heap import share_one_heap

STEPS = 10
INTERVAL_S = 10.0


async def grow(directory: Path, warm: int, samples: int) -> list[int]:
    """Resident bytes, first after `warm` samples, then after each tenth of `samples` more."""
    config = AgentConfig(collector="http://nobody", token_file=directory, netns=("own",), spool_dir=directory)
    with Spool(directory, boot_id="growing", max_bytes=config.spool_max_bytes, max_age_ms=10**9) as spool:
        reporter, at_s = Reporter(config, spool, Ledger(), Samplings()), 0.0
        sizes = []
        for count in (warm, *[samples // STEPS] * STEPS):
            for _ in range(count):
                stir(NOBODY)
                await reporter.sample(Reason.DUE, at_s)
                at_s += INTERVAL_S
                spooled = spool.newest()
                if spooled:
                    spool.taken(spooled.seq)
            sizes.append(footprint().rss_bytes)
    return sizes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--warm", type=int, default=1_000)
    arguments = parser.parse_args()
    share_one_heap()
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(asyncio.run(grow(Path(directory), arguments.warm, arguments.samples))))


if __name__ == "__main__":
    main()

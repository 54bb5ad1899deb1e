"""Takes snapshots and does nothing else, tuned as `serve` is: `python -m benchmarks.ingest_alone DATABASE`."""

import asyncio
import signal
import sys

from collector.http import build_app
from collector.ingest.intake import Intake
from collector.loops import background
from collector.metrics import Metrics
from collector.run import collect_garbage_seldom, listening, serving
from collector.services import Services
from collector.storage.database import database
from collector.storage.location import locate
from shared.heap import keep_what_is_given_back, share_one_heap


async def main() -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    metrics = Metrics()
    with listening("127.0.0.1:0") as listener:
        async with database(locate(sys.argv[1]), alone=True) as db:
            intake = Intake(db, metrics, on_commit=lambda: None)
            app = build_app(Services(db=db, intake=intake, metrics=metrics))
            async with background({"intake": intake.commit_forever()}), serving(app, listener) as address:
                print(address, flush=True)
                await stop.wait()


if __name__ == "__main__":
    share_one_heap()
    keep_what_is_given_back()
    collect_garbage_seldom()
    asyncio.run(main())

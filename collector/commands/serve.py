"""`serve`: take snapshots, answer, alert."""

import argparse
import dataclasses
import logging
from pathlib import Path

from collector.commands.common import Subparsers, add_command, add_database, location_of
from collector.config import ROLES, Config
from shared import logs, settings
from shared.heap import keep_what_is_given_back, share_one_heap

EXAMPLE = "portgauge-collector serve --listen 127.0.0.1:8766 --database /var/lib/portgauge/history.db"


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "serve", "take snapshots, answer questions, raise alerts", EXAMPLE)
    parser.add_argument("--listen", metavar="HOST:PORT", help=f"port 0 takes any free one (default: {Config().listen})")
    add_database(parser)
    parser.add_argument("--role", choices=ROLES, help="what this process does; others than `all` need PostgreSQL")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings as TOML; flags go before the file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    # The page's charts among it: every other command would load them, for a second and more of CPU.
    import uvloop  # noqa: PLC0415

    from collector import run as life  # noqa: PLC0415

    config = settings.load(Config, args.config) if args.config else Config()
    flags = {name: value for name in ("listen", "role") if (value := getattr(args, name))}
    config = dataclasses.replace(config, **flags)
    logs.configure(level=config.log_level, as_json=config.log_json)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    share_one_heap()
    keep_what_is_given_back()
    life.collect_garbage_seldom()
    uvloop.run(life.run(config, location_of(args, config.database), _announce))
    return 0


def _announce(address: str) -> None:
    print(f"portgauge-collector listening on {address}", flush=True)

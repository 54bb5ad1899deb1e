"""`migrate`: make the database, or bring it to this version's schema."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from collector.commands.common import Subparsers, add_command, add_database, location_of
from collector.storage.schema import migrate

EXAMPLE = "portgauge-collector migrate --database /var/lib/portgauge/history.db"


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "migrate", "make the database, or bring it to this version's schema", EXAMPLE)
    add_database(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Migrate; safe to repeat."""
    location = location_of(args)
    with _steps_told():
        before, after = asyncio.run(migrate(location))
    done = "is at" if before == after else "migrated to"
    print(f"{location}: {done} schema {after}")
    return 0


@contextmanager
def _steps_told() -> Iterator[None]:
    """Each revision on standard error as it begins, where a person looks: one over a large table takes a while."""
    log = logging.getLogger("alembic.runtime.migration")
    if not sys.stderr.isatty():
        yield
        return
    handler, level = logging.StreamHandler(), log.level
    handler.addFilter(lambda record: record.getMessage().startswith("Running"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)

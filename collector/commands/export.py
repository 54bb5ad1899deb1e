"""`export`: any window of history as CSV or Parquet."""

import argparse
import importlib
import shutil
import sys
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from collector.commands.ask import add_client, query_of
from collector.commands.client import client_of
from collector.commands.common import Subparsers, add_command
from shared.errors import PortgaugeError

EXAMPLE = "portgauge-collector export --tier minute --from 2026-11-01 --output november.parquet"
_OPTIONS = {
    "host": "of this host only",
    "tier": "raw (as taken), minute or hour (default: raw)",
    "from": "since when: 2026-11-22T09:00 (UTC), or Unix seconds (default: an hour ago)",
    "to": "until when (default: now)",
}


class NoParquet(PortgaugeError):
    """Parquet needs a library that is not installed."""

    def __init__(self) -> None:
        super().__init__("Parquet needs pyarrow; install portgauge[collector,parquet], or write CSV")


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "export", "any window of history as CSV or Parquet", EXAMPLE)
    for option, what in _OPTIONS.items():
        parser.add_argument(f"--{option}", dest=f"query_{option}", metavar=option.upper(), help=what)
    add_client(parser)
    what = "where to; a name ending in .parquet makes it Parquet (default: CSV to standard output)"
    parser.add_argument("--output", metavar="FILE", type=Path, help=what)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and write what arrives."""
    is_parquet = args.output is not None and args.output.suffix == ".parquet"
    pyarrow = _pyarrow() if is_parquet else None
    with client_of(args.url, args.token_file, args.ca).open("/v1/export", query_of(args)) as response:
        if pyarrow:
            _write_parquet(pyarrow, response, args.output)
        elif args.output:
            with args.output.open("wb") as file:
                shutil.copyfileobj(response, file)
        else:
            shutil.copyfileobj(response, sys.stdout.buffer)
    return 0


def _pyarrow() -> Any:
    try:
        for name in ("pyarrow.csv", "pyarrow.parquet"):
            importlib.import_module(name)
    except ModuleNotFoundError:
        raise NoParquet from None
    return importlib.import_module("pyarrow")


def _write_parquet(pyarrow: Any, response: HTTPResponse, file: Path) -> None:
    """Batch by batch: memory stays flat."""
    texts = dict.fromkeys(("host", "role", "netns", "kind", "local_ip", "peer_ip"), pyarrow.string())
    shares = dict.fromkeys(("held_mean", "peak_occupancy"), pyarrow.float64())
    options = pyarrow.csv.ConvertOptions(column_types=texts | shares, strings_can_be_null=False)
    batches = pyarrow.csv.open_csv(response, convert_options=options)
    with batches, pyarrow.parquet.ParquetWriter(str(file), batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)

"""`export`: any window of history as CSV or Parquet."""

import argparse
import importlib
import sys
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any

from collector.commands.ask import add_client, query_of
from collector.commands.client import client_of
from collector.commands.common import Subparsers, add_command
from collector.commands.progress import lines, megabytes, progress
from shared.errors import PortgaugeError

EXAMPLE = "portgauge-collector export --tier minute --from 2026-11-01 --output november.parquet"
CHUNK = 65_536
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
            with progress(lines) as told:
                _write_parquet(pyarrow, response, args.output, told)
        elif args.output:
            with args.output.open("wb") as file, progress(megabytes) as told:
                _copy(response, file, told)
        elif sys.stdout.isatty():
            _copy(response, sys.stdout.buffer, lambda _size: None)  # What is read there is progress enough.
        else:
            with progress(megabytes) as told:
                _copy(response, sys.stdout.buffer, told)
    return 0


def _copy(response: HTTPResponse, file: IO[bytes], told: Callable[[int], None]) -> None:
    while chunk := response.read(CHUNK):
        file.write(chunk)
        told(len(chunk))


def _pyarrow() -> Any:
    try:
        for name in ("pyarrow.csv", "pyarrow.parquet"):
            importlib.import_module(name)
    except ModuleNotFoundError:
        raise NoParquet from None
    return importlib.import_module("pyarrow")


def _write_parquet(pyarrow: Any, response: HTTPResponse, file: Path, told: Callable[[int], None]) -> None:
    """Batch by batch: memory stays flat."""
    texts = dict.fromkeys(("host", "role", "netns", "kind", "local_ip", "peer_ip"), pyarrow.string())
    shares = dict.fromkeys(("held_mean", "peak_occupancy"), pyarrow.float64())
    options = pyarrow.csv.ConvertOptions(column_types=texts | shares, strings_can_be_null=False)
    batches = pyarrow.csv.open_csv(response, convert_options=options)
    with batches, pyarrow.parquet.ParquetWriter(str(file), batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            told(batch.num_rows)

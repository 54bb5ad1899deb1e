"""`export`: any window of history as CSV or Parquet."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Iterator
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
LOST = "lost_until_ms"
"""The last column, empty but where a line tells of a loss (collector.history.export)."""
_LOSS = re.compile(rb"[0-9]\n")
_TEXTS = dict.fromkeys(("host", "role", "netns", "kind", "local_ip", "peer_ip"), "string")
_SHARES = dict.fromkeys(("held_mean", "peak_occupancy"), "float64")
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
                lost = _write_parquet(pyarrow, response, args.output, told)
        elif args.output:
            with args.output.open("wb") as file, progress(megabytes) as told:
                lost = _copy(response, file, told)
        elif sys.stdout.isatty():
            lost = _copy(response, sys.stdout.buffer, lambda _size: None)  # What is read there is progress enough.
        else:
            with progress(megabytes) as told:
                lost = _copy(response, sys.stdout.buffer, told)
    if lost:
        what = f"{lost:,} stretches of history are lost" if lost > 1 else "a stretch of history is lost"
        print(f"portgauge-collector: {what}: see {LOST}", file=sys.stderr)
    return 0


def _copy(response: HTTPResponse, file: IO[bytes], told: Callable[[int], None]) -> int:
    """Answers how many lines tell of a loss; an older collector's do not."""
    chunk = response.readline()
    is_told, lost, end = LOST.encode() in chunk, 0, b""
    while chunk:
        file.write(chunk)
        told(len(chunk))
        lost += len(_LOSS.findall(end + chunk))
        end = chunk[-1:]
        chunk = response.read(CHUNK)
    return lost if is_told else 0


def _pyarrow() -> Any:
    try:
        for name in ("pyarrow.csv", "pyarrow.parquet"):
            importlib.import_module(name)
    except ModuleNotFoundError:
        raise NoParquet from None
    return importlib.import_module("pyarrow")


def _write_parquet(pyarrow: Any, response: HTTPResponse, file: Path, told: Callable[[int], None]) -> int:
    """Batch by batch: memory stays flat. Answers how many lines tell of a loss."""
    # Types are told, not guessed from the first lines: where these tell of a loss, they have no numbers.
    names, lost = response.readline().decode().strip().split(","), 0
    types = {name: _TEXTS.get(name, _SHARES.get(name, "int64")) for name in names}
    read = pyarrow.csv.ReadOptions(column_names=names)
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: pyarrow.type_for_alias(kind) for name, kind in types.items()}, strings_can_be_null=False
    )
    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in types.items()])
    with pyarrow.parquet.ParquetWriter(str(file), schema, compression="zstd") as writer:
        for batch in _batches(pyarrow, response, read, convert):
            writer.write_batch(batch)
            told(batch.num_rows)
            lost += batch.num_rows - batch.column(LOST).null_count if LOST in names else 0
    return lost


def _batches(pyarrow: Any, response: HTTPResponse, read: Any, convert: Any) -> Iterator[Any]:
    """Nothing where there is no line: the library takes that for a fault."""
    try:
        batches = pyarrow.csv.open_csv(response, read_options=read, convert_options=convert)
    except pyarrow.ArrowInvalid as error:
        if "Empty CSV file" not in str(error):
            raise
        return
    with batches:
        yield from batches

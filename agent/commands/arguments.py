"""Readers for command line values, with messages a person can act on."""

import argparse
import sys
from contextlib import suppress

from agent.threshold import Threshold, parse_threshold
from shared.addresses import parse_endpoint, parse_ip
from shared.errors import PortgaugeError
from shared.ports import PortRange, parse_port_range


def add_netns(parser: argparse.ArgumentParser) -> None:
    """`--netns NAME`, as often as wanted: `arguments.netns`, none for all."""
    parser.add_argument(
        "--netns",
        action="append",
        default=[],
        metavar="NAME",
        help="only this network namespace, more if repeated; own: the one this command runs in (default: all)",
    )


def add_no_probe(parser: argparse.ArgumentParser) -> None:
    """`--no-probe`: `arguments.no_probe`."""
    parser.add_argument(
        "--no-probe", action="store_true", help="do not probe ports: binders that no list shows stay hidden"
    )


def positive_integer(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def positive_seconds(text: str) -> float:
    """A number of seconds above 0, fractions allowed."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:  # noqa: PLR2004 - a day
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0 and up to 86400")
    return seconds


def share(text: str) -> float:
    """A share of a pool, above 0 and up to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share above 0 and up to 1, like 0.85")
    return value


def threshold(text: str) -> Threshold:
    """A share of a pool, or a range of shares."""
    try:
        return parse_threshold(text)
    except PortgaugeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def ip(text: str) -> bytes:
    """An IP address, packed."""
    try:
        return parse_ip(text)
    except PortgaugeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def endpoint(text: str) -> tuple[bytes, int]:
    """An address and a port. IPv6 without brackets is read as HAProxy reads it, the port last; which is then told."""
    host, _, port = text.strip().rpartition(":")
    if ":" in host and "[" not in host:
        with suppress(PortgaugeError):
            found = parse_endpoint(f"[{host}]:{port}")
            print(f"portgauge-agent: {text} is read as [{host}]:{port}", file=sys.stderr)
            return found
    try:
        return parse_endpoint(text)
    except PortgaugeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def port_range(text: str) -> PortRange:
    """Two ports, LOW-HIGH."""
    try:
        return parse_port_range(text)
    except PortgaugeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

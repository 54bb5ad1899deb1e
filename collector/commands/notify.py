"""`notify`: try a channel."""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from collector.commands.common import Subparsers, add_command
from collector.config import Config
from collector.notify.channel import DeliveryFailed
from collector.storage.outbox import Owed
from shared import settings
from shared.clock import wall_ms
from shared.errors import PortgaugeError
from shared.settings import nearest

EXAMPLE = "portgauge-collector notify test ops --config collector.toml"
FAILED = 1


class UnknownChannel(PortgaugeError):
    """No channel of that name is configured."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        hint = nearest(name, known) or f"; known: {', '.join(known) or 'none'}"
        super().__init__(f"no channel is named {name!r}{hint}")


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own command."""
    parser = add_command(subparsers, "notify", "try a channel", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    test = add_command(actions, "test", "send a notice that fires and one that resolves", EXAMPLE)
    test.add_argument("channel", metavar="CHANNEL", help="its name in the configuration")
    test.add_argument("--config", metavar="FILE", type=Path, required=True, help="where the channel is configured")
    test.set_defaults(run=run_test)


def run_test(args: argparse.Namespace) -> int:
    """Print what became of each. 1 where one was not taken."""
    config = settings.load(Config, args.config)
    return asyncio.run(_test(config, args.channel))


async def _test(config: Config, name: str) -> int:
    found = next((one for one in config.channel if one.name == name), None)
    if found is None:
        raise UnknownChannel(name, [one.name for one in config.channel])
    from collector.notify.opening import open_channel  # noqa: PLC0415 - loads every kind of channel there is

    now_ms = wall_ms()
    async with ClientSession() as session:
        channel = open_channel(found, session, wall_ms, _nothing_else)
        for state in ("firing", "resolved"):
            try:
                detail = await channel.send(Owed(0, f"test-{now_ms}-{state}", document(state, now_ms), now_ms, 0))
            except DeliveryFailed as error:
                print(f"{name}: {state}: not taken: {error}")
                return FAILED
            print(f"{name}: {state}: {detail}")
    return 0


async def _nothing_else(_channel: str, _ended_since_ms: int) -> Sequence[Mapping[str, Any]]:
    return ()


def document(state: str, now_ms: int) -> dict[str, Any]:
    """A notice about nothing, with the keys that every notice has."""
    summary = f"TEST {state}: this is a test of portgauge; nothing is wrong"
    return {
        "key": f"test-{now_ms}-{state}",
        "alert": f"test-{now_ms}",
        "state": state,
        "severity": "plan",
        "cause": "test",
        "rule": "test",
        "hosts": 0,
        "link": "",
        "since_ms": now_ms,
        "at_ms": now_ms,
        "summary": summary,
        "text": summary,
    }

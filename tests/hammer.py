"""Load that never stops, and collectors that are killed under it: for tests of what was acknowledged."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Self

from shared import wire
from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, serving

PATIENCE_S = 60
SENDERS = 4
Taken = Callable[[int, int], int]
"""When a host, by its number, took its snapshot of that number, in ms."""


def taken_now(_host: int, _seq: int) -> int:
    """As it is sent."""
    return int(time.time() * 1000)


class Hammer:
    """Hosts that push one snapshot after another, each until it is acknowledged, to any of the collectors in turn."""

    def __init__(self, token: str, urls: Callable[[], Sequence[str]], taken: Taken = taken_now) -> None:
        self.acknowledged: Counter[tuple[str, int]] = Counter()
        self._token, self._urls, self._taken = token, urls, taken
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for_more(self, count: int) -> None:
        """Until so many more snapshots were acknowledged: everything works again."""
        wanted, deadline_s = len(self.acknowledged) + count, time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline_s, "nothing is acknowledged any more"
            time.sleep(0.02)

    def _send(self, number: int) -> None:
        """One after another, each until it is acknowledged, and the same each time: another content is a conflict."""
        host = f"lb{number}"
        for seq in count(1):
            taken_ms = self._taken(number, seq)
            body = wire.encode(a_snapshot(a_reading(seq % 300), host=host, seq=seq, taken_at_ms=taken_ms))
            while not self._push(body):
                if self._stop.wait(0.02):
                    return
            self.acknowledged[host, seq] += 1
            if self._stop.is_set():
                return

    def _push(self, body: bytes) -> bool:
        for url in self._urls():
            headers = {"Content-Type": wire.CONTENT_TYPE, "Authorization": f"Bearer {self._token}"}
            with suppress(OSError, HTTPException), closing(HTTPConnection(url.removeprefix("http://"))) as connection:
                connection.timeout = 20
                connection.request("POST", "/v1/snapshots", body, headers)
                with connection.getresponse() as response:
                    if response.status == HTTPStatus.ACCEPTED:
                        return True
        return False


def require_each_once(acknowledged: Counter[tuple[str, int]], rows: Sequence[tuple[str, int]]) -> None:
    """All that was acknowledged is there, and nothing twice; what was never acknowledged may be there too."""
    stored = Counter(rows)
    assert [key for key in acknowledged if key not in stored] == []
    assert [key for key, count in stored.items() if count > 1] == []


class Collectors:
    """Processes that are killed and started again under their names."""

    def __init__(self, stack: ExitStack, database: str | Path, directory: Path) -> None:
        self._stack, self._database, self._directory = stack, database, directory
        self._running: dict[str, Serving] = {}
        self._roles: dict[str, str] = {}

    def start(self, name: str, role: str = "all") -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            log = self._directory / f"{name}-{time.monotonic_ns()}.log"
            try:
                made = serving(self._database, "--role", role, log=log)
                self._running[name], self._roles[name] = self._stack.enter_context(made), role
            except AssertionError:  # The database is still coming back.
                assert time.monotonic() < deadline_s, log.read_text()
                time.sleep(0.1)
            else:
                return

    def kill(self, name: str) -> None:
        process = self._running.pop(name).process
        process.kill()
        process.wait(PATIENCE_S)

    def kill_and_start(self, name: str) -> None:
        self.kill(name)
        self.start(name, self._roles[name])

    def named(self, pid: int) -> str | None:
        """The name under which this process runs; None where it is none of ours any more."""
        return next((name for name, one in self._running.items() if one.process.pid == pid), None)

    def end(self) -> None:
        """Kill them all, for good."""
        for one in self._running.values():
            one.process.kill()
            one.process.wait(PATIENCE_S)
        self._running.clear()

    def urls(self) -> list[str]:
        running = list(self._running.items())  # Others start and end them meanwhile.
        found = [one.url for name, one in running if self._roles[name] != "leader"]
        random.shuffle(found)
        return found


def wait_until(fact: Callable[[], bool], *, within_s: float = PATIENCE_S, every_s: float = 0.1) -> None:
    """Look until it is so."""
    deadline_s = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(every_s)

"""Two hosts with a cable between them: a load balancer with an agent, and far from it a collector behind a front."""

import functools
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.agent_process import AnAgent, until
from tests.collector_process import Serving, a_token, migrated, serving
from tests.front import Front
from tests.netns import Netns, end, fresh_netns
from tests.secret import a_secret

NEAR, FAR = "10.77.0.1", "10.77.0.2"
FRONT_PORT, COLLECTOR_PORT = 8766, 8700
HOST = "lb1"
BACKLOG_PATIENCE_S = 150.0
"""On a busy machine the collector answers slowly, and is given the backlog slowly."""


@dataclass(slots=True)
class Ground:
    """What a story happens on."""

    near: Netns
    far: Netns
    database: Path
    agent: AnAgent
    front: Front
    reader: str
    _collector: ExitStack = field(default_factory=ExitStack)
    _serving: Serving | None = None
    _spenders: list["subprocess.Popen[Any]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the front."""
        return f"http://{FAR}:{FRONT_PORT}"

    def start_collector(self) -> None:
        begin = serving(self.database, listen=f"127.0.0.1:{COLLECTOR_PORT}")
        self._serving = self.far.run(functools.partial(self._collector.enter_context, begin))

    def kill_collector(self) -> None:
        assert self._serving
        self._serving.process.kill()
        self._serving.process.wait()
        self._collector.close()

    def stop_collector(self) -> None:
        self._collector.close()

    def start_agent(self, **keys: str | float) -> None:
        """One that reports twice a second, in the near namespace."""
        known: dict[str, str | float] = {"collector": self.url, "interval_s": 0.5, "host": HOST}
        self.agent.configure(**known | keys)
        self.near.run(self.agent.start)

    def spend(self, steps: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Have tests.spender take ports in the near namespace until the end; answers what became of it."""
        command = [sys.executable, "-m", "tests.spender", json.dumps(steps)]
        spender = self.near.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._spenders.append(spender)
        assert spender.stdout
        told: dict[str, Any] = json.loads(spender.stdout.readline())
        return told

    def release(self) -> None:
        """Give the ports back, without a TIME_WAIT: the front resets its connections first."""
        self.front.cut(lambda _port: True)
        end(self._spenders)

    def told(self) -> dict[str, Any]:
        """What the collector says of the host; nothing received, if it never heard of it."""
        assert self._serving
        hosts = json.loads(self.far.run(self._serving.get, "/v1/hosts", self.reader))["items"]
        if not hosts:
            return {"received": 0, "missing": 0, "duplicates": 0, "last_seq": 0}
        answer = self.far.run(self._serving.get, f"/v1/hosts/{HOST}", self.reader)
        host: dict[str, Any] = json.loads(answer)
        return host

    def until_received(self, more: int) -> None:
        """So many more than now."""
        goal = self.told()["received"] + more
        until(lambda: self.told()["received"] >= goal, BACKLOG_PATIENCE_S)

    def until_whole(self) -> dict[str, Any]:
        """Until every number up to the newest has arrived, each counted once."""
        until(lambda: self._is_whole(self.told()), BACKLOG_PATIENCE_S)
        return self.told()

    @staticmethod
    def _is_whole(host: dict[str, Any]) -> bool:
        return bool(host["received"] and host["missing"] == 0 and host["received"] == host["last_seq"])

    def local_port(self) -> int:
        """From which the agent is connected to the front."""
        pid = str(self.agent.process.pid)
        lines = self.near.check_output(["ss", "-Htnp", "state", "established", "dport", "=", str(FRONT_PORT)])
        (line,) = [one for one in lines.splitlines() if f"pid={pid}," in one]
        return int(line.split()[2].rpartition(":")[2])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A migrated database with two tokens: what takes time to make, once for all stories."""

    database: Path
    pusher: str
    reader: str


def prepared(place: Path) -> Prepared:
    database = migrated(place)
    pusher = a_token(database, "--scope", "push", "--host", HOST)
    return Prepared(database, pusher, a_token(database, "--scope", "read"))


@contextmanager
def a_ground(place: Path, ready: Prepared) -> Iterator[Ground]:
    """The collector runs; the agent is not started yet."""
    database = place / "history.db"
    shutil.copy(ready.database, database)
    agent = AnAgent(place / "agent", {})
    a_secret(agent.token, ready.pusher)
    with ExitStack() as stack:
        near, far = stack.enter_context(fresh_netns()), stack.enter_context(fresh_netns())
        near.join(far, f"{NEAR}/24", f"{FAR}/24")
        listener = far.run(socket.create_server, (FAR, FRONT_PORT))
        front = Front(listener, lambda: far.run(socket.create_connection, ("127.0.0.1", COLLECTOR_PORT)))
        front.serve()
        stack.callback(front.close)
        ground = Ground(near, far, database, agent, front, ready.reader)
        stack.callback(ground.stop_collector)
        stack.callback(agent.end)
        ground.start_collector()
        yield ground

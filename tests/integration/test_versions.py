"""Two versions side by side, each installed: agents and collectors of one and the other understand each other.

Over SQLite and over PostgreSQL: the schema is brought forward on both.
"""

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests import previous as before
from tests.agent_process import PROGRAM as NEW_AGENT
from tests.agent_process import AnAgent, until
from tests.by_the_book import follow
from tests.collector_process import PROGRAM as NEW_COLLECTOR
from tests.collector_process import Serving, a_token, run, serving
from tests.netns import Netns
from tests.previous import Previous
from tests.secret import a_secret

HOST, HELD, PORT = "lb1", 40, 9001
NEW = version("portgauge")
LISTEN = "127.0.0.1:8766"
GOLDEN = sorted((before.ROOT / "tests" / "golden" / "wire").glob("*.msgpack"))
READ = """
import json, sys
from pathlib import Path
from shared import wire
for name in sys.argv[1:]:
    snapshot = wire.decode(Path(name).read_bytes())
    held = [(str(one.pool), one.held, one.capacity, one.headroom_min, one.headroom_max) for one in snapshot.readings]
    print(json.dumps([snapshot.host, snapshot.seq, snapshot.failure, dict(snapshot.labels), held]))
"""
"""What every version that reads a body must find in it."""
QUESTIONS = (
    ("hosts",),
    ("pools",),
    ("trend", "--host", HOST, "--local", "127.0.0.1", "--peer", f"127.0.0.1:{PORT}"),
    ("plan", "--range", "1024-65535", "--add-backends", "1"),
    ("rules", "list", "--running"),
    ("replay", "--from", "2026-11-22T12:00"),
)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Previous:
    """The older programs; see tests/conftest.py for where there are none."""
    return before.install(tmp_path_factory.mktemp("previous"))


@dataclass(frozen=True, slots=True)
class Store:
    """A database: its kind as docs/rollout.md has it, its address, and what empties it."""

    kind: str
    address: str
    empty: Callable[[], None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    if reason := postgres.why_none():
        pytest.skip(reason)
    with postgres.cluster(postgres.QUICK) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield Store("sqlite", str(tmp_path / "history.db"), lambda: None)
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    name = cluster.new_database()

    def empty() -> None:
        cluster.drop(name)
        cluster.new_database(name=name)

    yield Store("postgresql", cluster.url(name), empty)
    cluster.drop(name)


class Side:
    """One host and one collector in a namespace, each of whichever version; database, spool and token stay."""

    def __init__(self, place: Path, netns: Netns, store: Store) -> None:
        self.netns, self.store, self.database, self._place = netns, store, store.address, place
        self.agent = AnAgent(place / "agent", {})
        self.agent.configure(collector=f"http://{LISTEN}", host=HOST, role="edge", interval_s=0.5)
        self._collector, self._reader = ExitStack(), ""
        self._serving: Serving | None = None

    def make_tokens(self, program: Path) -> None:
        a_secret(self.agent.token, a_token(self.database, "--scope", "push", "--host", HOST, program=program))
        self._reader = a_token(self.database, "--scope", "read", program=program)

    def migrate(self, program: Path) -> None:
        done = run("migrate", "--database", self.database, program=program)
        assert done.returncode == 0, done.stderr

    def serve(self, program: Path) -> None:
        begin = serving(self.database, listen=LISTEN, log=self._place / "collector.log", program=program)
        self._serving = self.netns.run(functools.partial(self._collector.enter_context, begin))

    def stop_collector(self) -> None:
        if self._serving:
            self._serving.process.terminate()
            self._serving.process.wait(60)
        self._collector.close()
        self._serving = None

    def back_up(self) -> None:
        follow(self.store.kind, "back up", address=self.database, backup=self._place / "backup")

    def restore(self) -> None:
        self.store.empty()
        follow(self.store.kind, "restore", address=self.database, backup=self._place / "backup")

    def start_agent(self, program: Path) -> None:
        self.agent.program = program
        self.netns.run(self.agent.start)

    def stop_agent(self) -> None:
        self.agent.process.terminate()
        assert self.agent.process.wait(60) == 0

    def ask(self, path: str) -> Any:
        assert self._serving
        return json.loads(self.netns.run(self._serving.get, path, self._reader))

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """This version's command, asking whatever collector serves."""
        file = a_secret(self._place / "reader", self._reader)
        return self.netns.run(functools.partial(run, *words, "--url", f"http://{LISTEN}", "--token-file", str(file)))

    def told(self) -> dict[str, Any]:
        """What the collector says of the host; nothing received, if it never heard of it."""
        known = [one for one in self.ask("/v1/hosts")["items"] if one["host"] == HOST]
        return known[0] if known else {"received": 0, "missing": 0, "last_seq": 0, "duplicates": 0}

    def until_more_and_whole(self) -> dict[str, Any]:
        """Until three more snapshots have come, none of all is missing, and the pool is counted right."""
        goal = self.told()["received"] + 3

        def is_whole() -> bool:
            now = self.told()
            return bool(now["received"] >= goal and now["missing"] == 0 and now["received"] == now["last_seq"])

        until(is_whole)
        until(lambda: self.held() == HELD)
        return self.told()

    def until_more(self) -> dict[str, Any]:
        """Until three more snapshots have come, of which the last tells the pool as it is."""
        goal = self.told()["received"] + 3
        until(lambda: bool(self.told()["received"] >= goal))
        until(lambda: self.held() == HELD)
        return self.told()

    def held(self) -> int:
        """Ports that the collector knows to be held of the pool that the test spends."""
        pools = self.ask(f"/v1/pools?host={HOST}")["items"]
        return sum(one["held"] for one in pools if one["peer_port"] == PORT)


@pytest.fixture
def side(tmp_path: Path, netns: Netns, store: Store) -> Iterator[Side]:
    """Forty ports of one pool are held."""
    steps = json.dumps([["connect", "127.0.0.1", PORT, HELD]])
    spender = netns.popen(
        [sys.executable, "-m", "tests.spender", steps], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert spender.stdout
    spender.stdout.readline()
    made = Side(tmp_path, netns, store)
    yield made
    made.agent.end()
    made.stop_collector()


def test_the_documented_order_of_an_upgrade_and_back_loses_nothing(side: Side, previous: Previous) -> None:
    """The collector first, then the agent; back the agent first. One database, one spool, one token all along."""
    old_agent, old_collector = previous.programs / "portgauge-agent", previous.programs / "portgauge-collector"
    side.migrate(old_collector)
    side.make_tokens(old_collector)
    side.serve(old_collector)
    side.start_agent(old_agent)
    at_first = side.until_more_and_whole()

    side.migrate(NEW_COLLECTOR)
    side.until_more_and_whole()  # The older one goes on meanwhile: what was added is none of its business.
    side.stop_collector()
    side.serve(NEW_COLLECTOR)
    upgraded = side.until_more_and_whole()
    assert upgraded["received"] > at_first["received"]
    assert upgraded["boot_id"] == at_first["boot_id"]
    assert upgraded["agent_version"] == previous.version != NEW

    side.stop_agent()
    side.start_agent(NEW_AGENT)
    both = side.until_more_and_whole()
    assert both["boot_id"] == at_first["boot_id"], "the spool and its numbers go on"
    assert both["agent_version"] == NEW
    assert "config" in " ".join(both["agent"]["features"])

    side.stop_agent()
    side.start_agent(old_agent)
    back = side.until_more_and_whole()
    assert back["boot_id"] == at_first["boot_id"]
    assert back["agent_version"] == previous.version
    said = side.agent.log.read_text()
    assert "set aside" not in said


def test_the_collectors_way_back_is_the_copy_from_before(side: Side, previous: Previous) -> None:
    """The agent first, then the collector over the copy: what came in between is lost to it, and it counts how much."""
    if side.store.kind == "sqlite" and not shutil.which("sqlite3"):
        pytest.skip("no sqlite3 here (make deps installs it): no copy is made")
    old_agent, old_collector = previous.programs / "portgauge-agent", previous.programs / "portgauge-collector"
    side.migrate(old_collector)
    side.make_tokens(old_collector)
    side.serve(old_collector)
    side.start_agent(old_agent)
    side.until_more_and_whole()
    side.back_up()
    copied = side.told()
    side.migrate(NEW_COLLECTOR)
    side.stop_collector()
    side.serve(NEW_COLLECTOR)
    side.stop_agent()
    side.start_agent(NEW_AGENT)
    upgraded = side.until_more_and_whole()

    side.stop_agent()
    side.start_agent(old_agent)
    side.until_more_and_whole()
    side.stop_collector()
    side.restore()
    side.serve(old_collector)
    back = side.until_more()

    assert back["agent_version"] == previous.version
    assert back["boot_id"] == upgraded["boot_id"]
    assert back["last_seq"] > upgraded["last_seq"] > copied["last_seq"]
    assert back["missing"] == back["last_seq"] - back["received"] > 0, "what only the newer one was given"


def test_an_agent_that_is_ahead_of_its_collector_reports_all_the_same(side: Side, previous: Previous) -> None:
    """Not the documented order; but a host that is made anew gets the newest agent, whatever the collector is."""
    old_collector = previous.programs / "portgauge-collector"
    side.migrate(old_collector)
    side.make_tokens(old_collector)
    side.serve(old_collector)
    side.start_agent(NEW_AGENT)
    side.until_more_and_whole()
    said = side.agent.log.read_text()
    assert "set aside" not in said
    assert " answered 4" not in said
    for words in QUESTIONS:  # Commands, too, may be ahead: told what they ask, or in one line why not.
        asked = side.command(*words)
        assert asked.returncode == 0 or (asked.returncode, asked.stderr.count("\n")) == (2, 1), asked.stderr
        assert asked.returncode == 0 or "older" in asked.stderr


def test_an_older_version_reads_every_golden_body_as_this_one_does(previous: Previous, tmp_path: Path) -> None:
    """Those that were recorded after it, too: what it does not know it ignores."""
    assert GOLDEN
    said = [
        subprocess.check_output([python, "-c", READ, *GOLDEN], cwd=where, text=True)
        for python, where in ((previous.programs / "python", tmp_path), (Path(sys.executable), before.ROOT))
    ]
    assert said[0] == said[1]


def test_an_older_collector_refuses_a_newer_database_and_says_so(side: Side, previous: Previous) -> None:
    side.migrate(NEW_COLLECTOR)
    refused = run(
        "serve", "--listen", "127.0.0.1:0", "--database", side.database, program=previous.programs / NEW_COLLECTOR.name
    )
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "unknown to this version; upgrade portgauge" in refused.stderr

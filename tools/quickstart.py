"""`make run`: a collector with SQLite and an agent for this host, both on loopback, until Ctrl-C.

Tokens are made once and kept, 0600, beside the database; a database that is gone takes them with it.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from agent.identity import host_name

PATIENCE_S = 20.0
BIN = Path(sys.executable).parent
COLLECTOR, AGENT = str(BIN / "portgauge-collector"), str(BIN / "portgauge-agent")


def state_directory() -> Path:
    """Where a user's programs keep their state (XDG)."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "portgauge"


def main() -> int:
    """Start both, say where, wait."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8766", metavar="HOST:PORT")
    arguments = parser.parse_args()
    state = state_directory()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _as_interrupt)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as processes:
        address = processes.enter_context(collector(state, arguments.listen))
        login = token(state, "read").read_text().strip()
        agent_process = processes.enter_context(agent(state, address))
        print(f"portgauge  collector  {address}   (SQLite: {state / 'history.db'})")
        print(f"portgauge  agent      this host as {host_name()}, every 10 s   (what it sees now: {AGENT} pools)")
        print(f"portgauge  open       {address}/?login={login}      Ctrl-C stops both", flush=True)
        while agent_process.poll() is None:
            time.sleep(0.2)
        print(f"portgauge  the agent ended with status {agent_process.returncode}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def collector(state: Path, listen: str) -> Iterator[str]:
    """A migrated database and a collector on it; gives its address. Ends the program where it does not come up."""
    database = state / "history.db"
    if not database.exists():
        for left_over in state.glob("*.token"):
            left_over.unlink()
    _must([COLLECTOR, "migrate", "--database", str(database)])
    with running(
        [COLLECTOR, "serve", "--listen", listen, "--database", str(database)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()  # What it prints once it accepts; nothing, if it ended.
        if not line:
            sys.exit(process.wait(PATIENCE_S) or 1)
        yield line.split()[-1]


@contextlib.contextmanager
def agent(state: Path, address: str) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent of this host that reports to `address`."""
    where = ["--collector", address, "--token-file", str(token(state, "push"))]
    with running([AGENT, "run", *where, "--spool", str(state / "agent")], stdout=None) as process:
        yield process


def token(state: Path, scope: str) -> Path:
    """The file with this computer's token for `scope`, made at first use."""
    path = state / f"{scope}.token"
    if not path.exists():
        host = ["--host", host_name()] if scope == "push" else []
        made = _must([COLLECTOR, "token", "create", "--scope", scope, *host, "--database", str(state / "history.db")])
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made)
    return path


@contextlib.contextmanager
def running(command: Sequence[str], stdout: int | None) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for as long as the block is open. It has a group of its own, so that only we end it, in order."""
    process = subprocess.Popen(command, stdout=stdout, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _must(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

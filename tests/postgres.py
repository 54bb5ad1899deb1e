"""PostgreSQL for real: clusters of our own in temporary directories, spoken to through sockets in there.

Nothing of the system's is touched: no service, no port, no /var/lib/postgresql. PostgreSQL refuses to run as root;
for root it runs in a user namespace where the same user has another number, so that no file needs another owner.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60
USER = "portgauge"
_ANOTHER_NUMBER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
QUICK = {"fsync": "off"}
"""For tests that do not ask what a crash leaves; nobody's data is at stake."""


def programs() -> Path | None:
    """Where the newest PostgreSQL's programs are (Debian keeps them beside the PATH); None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("postgres")
    return Path(there).resolve().parent if there else None


@functools.cache
def why_none() -> str:
    """Why no cluster can be had here; empty where one can."""
    if programs() is None:
        return "PostgreSQL is not installed (make deps)"
    if os.geteuid() == 0 and subprocess.run([*_ANOTHER_NUMBER, "true"], capture_output=True, check=False).returncode:
        return "PostgreSQL does not run as root, and this kernel gives no user namespace"
    return ""


@dataclass(slots=True, kw_only=True)
class Cluster:
    """One PostgreSQL server: its directory (data, sockets, log), its port (of the socket's name), its settings."""

    directory: Path
    port: int = 5432
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy, without a driver: it is the program's to choose."""
        return f"postgresql://{USER}@/{database}?host={self.directory}&port={self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        options = {
            "unix_socket_directories": str(self.directory),
            "listen_addresses": "",
            "port": str(self.port),
            "max_connections": "60",
            "shared_buffers": "64MB",
            **self.settings,
        }
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix(), str(_program("postgres")), "-D", str(self.data), *arguments], stdout=log, stderr=log
            )
        self._wait_until_ready()

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: at once but cleanly. SIGKILL is for the postmaster alone, as the OOM killer would do it."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
            self.process = None

    def crash(self) -> None:
        """Kill every process of it, as a power cut would."""
        assert self.process
        for pid in [*_children(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self.process = None

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for it, unaligned, without headings. Raises CalledProcessError."""
        command = [str(_program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", *self._address(), "-d", database]
        done = subprocess.run([*command, "-c", statement], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def new_database(self, template: str = "template1", name: str = "") -> str:
        """The name of a fresh copy of `template`."""
        name = name or f"t_{uuid.uuid4().hex[:12]}"
        self.sql(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop(self, database: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _address(self) -> list[str]:
        return ["-h", str(self.directory), "-p", str(self.port), "-U", USER]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        command = [str(_program("pg_isready")), "-q", *self._address()]
        while subprocess.run(command, check=False).returncode:
            assert self.process
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


@contextmanager
def cluster(settings: Mapping[str, str] | None = None, *, within: Path | None = None) -> Iterator[Cluster]:
    """A fresh server for as long as the block runs; in this directory, whose path is short, if one is given."""
    with contextlib.nullcontext(within) if within else _directory() as directory:
        run("initdb", "-D", directory / "data", "-U", USER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        with running(Cluster(directory=directory, settings=dict(settings or {}))) as made:
            yield made


@contextmanager
def standby(primary: Cluster, *, slot: str = "standby") -> Iterator[Cluster]:
    """A hot standby that streams from `primary`, begun from a base backup."""
    with _directory() as directory:
        source = f"host={primary.directory} port={primary.port} user={USER} application_name={slot}"
        run("pg_basebackup", "-D", directory / "data", "-R", "-C", "-S", slot, "-d", source)
        with running(Cluster(directory=directory, settings={"hot_standby": "on"})) as made:
            yield made


@contextmanager
def running(made: Cluster) -> Iterator[Cluster]:
    """Start it; whatever it is at the end of the block, or where its start is interrupted, it is stopped."""
    try:
        made.start()
        yield made
    finally:
        made.stop()


def run(program: str, *arguments: str | Path) -> None:
    """One of PostgreSQL's own programs. Raises AssertionError with what it said.

    Where we are interrupted, its children end too: initdb's would go on writing into what is being removed.
    """
    command: Sequence[str | Path] = [*prefix(), _program(program), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            _, said = process.communicate(timeout=PATIENCE_S)
        except BaseException:
            _end_group(process)
            raise
    assert process.returncode == 0, said


def _end_group(process: "subprocess.Popen[str]") -> None:
    """Kill it and its children, and see them gone."""
    deadline = time.monotonic() + PATIENCE_S
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.01)


def prefix() -> tuple[str, ...]:
    """What makes root an ordinary user."""
    return _ANOTHER_NUMBER if os.geteuid() == 0 else ()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _program(name: str) -> Path:
    directory = programs()
    assert directory
    return directory / name


@contextmanager
def _directory() -> Iterator[Path]:
    """Short, whatever TMPDIR says of pytest's: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        yield Path(directory)

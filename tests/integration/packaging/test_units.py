"""The units, judged by systemd-analyze and run by a real systemd: user, capabilities, seccomp, read-only mounts."""

import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.agent_process import until
from tests.booted import ROOT, Booted, booted, why_not_booting

UNITS = ROOT / "packaging" / "systemd"
AGENT, COLLECTOR = UNITS / "portgauge-agent.service", UNITS / "portgauge-collector.service"
FULL_VIEW = UNITS / "full-view.conf"
MOST_EXPOSURE = "20"
"""2.0, as systemd-analyze takes it."""
CONFIG = """
collector = "http://127.0.0.1:9"
token_file = "/etc/portgauge/token"
interval_s = 1
listen = "unix:/run/portgauge-agent/agent.sock"
"""
analyzing = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze: apt-get install systemd"
)
booting = pytest.mark.skipif(why_not_booting() is not None, reason=why_not_booting() or "")


@analyzing
@pytest.mark.parametrize("unit", [AGENT, COLLECTOR], ids=lambda unit: unit.name)
def test_a_unit_exposes_little(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout.splitlines()[-1:]


@analyzing
@pytest.mark.parametrize("unit", [AGENT, COLLECTOR], ids=lambda unit: unit.name)
def test_systemd_has_nothing_to_say_about_a_unit(unit: Path, tmp_path: Path) -> None:
    """With programs that are there: that ours are installed is not the file's business."""
    judged = tmp_path / unit.name
    judged.write_text(re.sub(r"/opt/portgauge/bin/\S+", "/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", str(judged)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Callable[..., Booted]]:
    blocks = []

    def start(*units: Path, **files: str) -> Booted:
        block = booted(tmp_path, units, {name.replace("_", "."): content for name, content in files.items()})
        blocks.append(block)
        return block.__enter__()

    yield start
    for block in blocks:
        block.__exit__(None, None, None)


def started(system: Booted, unit: str) -> Path:
    """/proc of its main process."""
    done = system.systemctl("start", unit)
    assert done.returncode == 0, done.stderr + system.output()
    return system.path(f"/proc/{system.property(unit, 'MainPID')}")


def capabilities(process: Path) -> int:
    (effective,) = re.findall(r"^CapEff:\s*(\w+)$", (process / "status").read_text(), re.MULTILINE)
    return int(effective, 16)


def metric(system: Booted, name: str) -> float:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(str(system.path("/run/portgauge-agent/agent.sock")))
        asking.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with asking.makefile() as answer:
            text = answer.read()
    found = re.search(rf"^portgauge_agent_{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else float("nan")


@booting
def test_the_agent_works_behind_its_unit(boot: Callable[..., Booted], tmp_path: Path) -> None:
    """As its own user with two capabilities, it is ready, counts, watches failures, reloads, and stops cleanly."""
    system = boot(AGENT, agent_toml=CONFIG, token="t")
    process = started(system, "portgauge-agent")  # Returns once READY=1 came.

    status = (process / "status").read_text()
    assert capabilities(process) == 1 << 12 | 1 << 38  # CAP_NET_ADMIN, CAP_PERFMON
    assert re.search(r"^Seccomp:\s*2$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    assert not re.search(r"^Uid:\s*0\s", status, re.MULTILINE)
    assert "snapshots wait for the collector" in system.property("portgauge-agent", "StatusText")
    until(lambda: metric(system, "healthy") == 1)

    assert system.systemctl("reload", "portgauge-agent").returncode == 0
    until(lambda: "the configuration is reloaded" in system.output())
    assert system.systemctl("stop", "portgauge-agent").returncode == 0

    assert system.property("portgauge-agent", "Result") == "success"
    said = system.output()
    assert "stopped" in said
    assert "Traceback" not in said
    if (Path("/sys/kernel/tracing/events")).exists():
        assert "failures are not counted" not in said
    copied = shutil.copy(system.path("/var/lib/portgauge-agent/spool.db"), tmp_path)
    with closing(sqlite3.connect(copied)) as spool:
        assert spool.execute("SELECT count(*) FROM snapshot").fetchone()[0] >= 2


@booting
def test_without_any_capability_it_counts_all_the_same(boot: Callable[..., Booted], tmp_path: Path) -> None:
    """And says what it does not see: failed connect() here."""
    bare = tmp_path / "bare.conf"
    bare.write_text("[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n")
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
        system = boot(AGENT, bare, agent_toml=CONFIG, token="t")
        process = started(system, "portgauge-agent")
        until(lambda: metric(system, "healthy") == 1)

        assert capabilities(process) == 0
        assert metric(system, "last_sample_sockets") >= 1
    assert "failures are not counted" in system.output()


@booting
def test_an_agent_that_hangs_is_restarted_by_the_watchdog(boot: Callable[..., Booted], tmp_path: Path) -> None:
    impatient = tmp_path / "impatient.conf"
    impatient.write_text("[Service]\nWatchdogSec=5\nRestartSec=0\n")
    system = boot(AGENT, impatient, agent_toml=CONFIG, token="t")
    started(system, "portgauge-agent")
    first = system.property("portgauge-agent", "MainPID")

    system.inside("kill", "-STOP", first)

    until(lambda: system.property("portgauge-agent", "MainPID") not in (first, "0"))
    until(lambda: system.property("portgauge-agent", "ActiveState") == "active")
    assert int(system.property("portgauge-agent", "NRestarts")) >= 1


@booting
def test_with_the_full_view_it_reads_other_network_namespaces(boot: Callable[..., Booted]) -> None:
    system = boot(AGENT, FULL_VIEW, agent_toml=CONFIG, token="t")
    started(system, "portgauge-agent")
    program = "import socket, time; kept = socket.create_server(('', 80)); time.sleep(600)"
    entering = ["nsenter", "--target", str(system.pid), "--mount", "--pid", "unshare", "--net"]
    with subprocess.Popen([*entering, "/opt/portgauge/python/bin/python3", "-c", program]) as other:
        try:
            until(lambda: metric(system, "last_sample_namespaces") == 2)
        finally:
            other.kill()

    assert "less accurate" not in system.output()


@booting
def test_the_collector_works_behind_its_unit(boot: Callable[..., Booted]) -> None:
    system = boot(COLLECTOR, collector_toml='listen = "127.0.0.1:0"\n')
    process = started(system, "portgauge-collector")

    until(lambda: "listening on" in system.output())
    assert capabilities(process) == 0
    assert system.systemctl("stop", "portgauge-collector").returncode == 0
    assert system.property("portgauge-collector", "Result") == "success"
    assert "Traceback" not in system.output()

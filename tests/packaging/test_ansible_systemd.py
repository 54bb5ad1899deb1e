"""The Ansible role where systemd runs, which it finds by itself: unit, user, capabilities; again without a change."""

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agent_process import until
from tests.booted import Booted, booted, why_not_booting
from tests.collector_process import Serving, a_token, migrated, serving
from tests.netns import end
from tests.packaging.test_ansible import PLAYBOOK, RECAP, ROLLOUT, RUN_S, SSH, SSHD

AGENT, STATE = "portgauge-agent", "/var/lib/portgauge-agent"
OWN = ("/usr/local/bin", "/usr/lib/sysusers.d")
"""What the role writes to, beside what a booted systemd has of its own anyway."""
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(why_not_booting() is not None, reason=why_not_booting() or ""),
]


@dataclass(frozen=True, slots=True)
class Machine:
    """One with a systemd, an sshd, and a collector beside it; Ansible runs here."""

    system: Booted
    home: Path
    sockets: Path

    def roll(self, program: Path, **variables: object) -> tuple[int, str, tuple[int, int]]:
        """(exit status, what it printed, (changed, failed))."""
        given = json.dumps({"portgauge_agent_file": str(program), **variables})
        command: list[str | Path] = [PLAYBOOK, "--inventory", self.home / "hosts.yml", "--extra-vars", given, ROLLOUT]
        known = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROLLOUT.with_name("ansible.cfg")),
            "ANSIBLE_HOST_KEY_CHECKING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
            "ANSIBLE_SSH_ARGS": SSH,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets),
        }
        done = subprocess.run(
            command, env=known, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=RUN_S, check=False
        )
        printed = done.stdout + done.stderr
        found = RECAP.search(printed)
        assert found, printed
        return done.returncode, printed, (int(found[3]), int(found[5]))


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Serving]:
    with serving(migrated(tmp_path)) as made:
        yield made


@pytest.fixture
def machine(sshd: Path, collector: Serving, tmp_path: Path) -> Iterator[Machine]:
    for key in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = SSHD.format(home=tmp_path).replace("Port 22", f"Port {port}").replace("0.0.0.0", "127.0.0.1")
    (tmp_path / "sshd.conf").write_text(config)
    (tmp_path / "hosts.yml").write_text(json.dumps(inventory(tmp_path, collector.url, port)))
    (tmp_path / "system").mkdir()
    with (
        booted(tmp_path / "system", [], {}) as system,
        tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as sockets,
    ):
        for place in OWN:
            assert system.inside("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place).returncode == 0
        system.path("/run/sshd").mkdir(mode=0o755)
        entering = ["nsenter", "--target", str(system.pid), "--mount", "--pid"]
        listening = subprocess.Popen(
            [*entering, sshd, "-D", "-e", "-f", tmp_path / "sshd.conf"], stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: _answers(port))
            yield Machine(system, tmp_path, Path(sockets))
        finally:
            end([listening])


def inventory(home: Path, url: str, port: int) -> dict[str, object]:
    database = home / "history.db"
    join = a_token(database, "--scope", "join", "--role", "edge", "--uses", "2", "--expires", "1h")
    options = {
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(home / "key"),
        "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_remote_tmp": "/run/ansible",
        "portgauge_become": False,
        "portgauge_collector": url,
        "portgauge_join_token": join,
        "portgauge_read_token": a_token(database, "--scope", "read"),
        "portgauge_role": "edge",
        "portgauge_settings": {"interval_s": 2.0, "netns": ["own"]},
        "portgauge_bake_s": 1,
        "portgauge_reports_needed": 2,
        "portgauge_health_every_s": 1,
    }
    return {"all": {"hosts": {"lb1": {}}, "vars": options}}


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def program(artifacts: Path) -> Path:
    return artifacts / "portgauge-agent"


def test_the_agent_is_a_service_of_systemd_and_stays_as_it_is_when_asked_again(
    machine: Machine, program: Path, tmp_path: Path
) -> None:
    """And a build that does not start is not called healthy."""
    system = machine.system
    status, printed, (changed, failed) = machine.roll(program)

    assert (status, failed) == (0, 0), printed
    assert changed > 0
    assert system.property(AGENT, "ActiveState") == "active"
    assert system.systemctl("is-enabled", AGENT).stdout.strip() == "enabled"
    process = system.property(AGENT, "MainPID")
    told = system.path(f"/proc/{process}/status").read_text()
    assert re.search(r"^CapEff:\s*0*4000001000$", told, re.MULTILINE), "CAP_NET_ADMIN, CAP_PERFMON"
    assert not re.search(r"^Uid:\s*0\s", told, re.MULTILINE)
    assert system.path(f"{STATE}/token").stat().st_mode & 0o777 == 0o600
    assert not system.path("/etc/portgauge/join-token").exists()

    assert machine.roll(program)[::2] == (0, (0, 0))
    assert system.property(AGENT, "MainPID") == process

    broken = tmp_path / "broken"
    broken.write_bytes(b"#!/bin/sh\n[ $1 = config ] || exit 1\n")
    status, printed, (_, failed) = machine.roll(broken, portgauge_health_within_s=3)
    assert (status != 0, failed) == (True, 1)

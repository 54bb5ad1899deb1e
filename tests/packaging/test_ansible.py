"""The Ansible role, run for real: load balancers in network namespaces with an sshd each, a collector between them."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tests.collector_process import Serving, a_token, migrated, serving
from tests.netns import PATIENCE_S, Netns, end

ROLLOUT = Path(__file__).parents[2] / "packaging" / "ansible" / "rollout.yml"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
HOSTS = ("lb1", "lb2", "lb3")
SSH = "-o ControlMaster=auto -o ControlPersist=10s"
RUN_S = 180
"""Some twenty seconds where nothing else runs."""
RECAP = re.compile(r"^(lb\d)\s+:\s+ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
SSHD = """
Port 22
ListenAddress 0.0.0.0
HostKey {home}/host_key
AuthorizedKeysFile {home}/key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Three hosts behind one switchboard, from which Ansible runs and where the collector listens."""

    home: Path
    hub: Netns
    collector: Serving
    read: str
    sockets: Path
    """For the sockets of held connections, whose paths may have some hundred characters at most."""

    def roll(self, program: Path, **variables: object) -> tuple[int, str, dict[str, tuple[int, int, int]]]:
        """(exit status, what it printed, by host (changed, unreachable, failed)); hosts never reached have none."""
        given = {"portgauge_agent_file": str(program), "portgauge_batches": [1, "100%"], **variables}
        command = [str(PLAYBOOK), "--inventory", str(self.home / "hosts.yml"), "--extra-vars", json.dumps(given)]
        log = self.home / "ansible.log"
        options = {"ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_PIPELINING": "true", "ANSIBLE_NOCOLOR": "true"}
        options |= {"ANSIBLE_SSH_TRANSFER_METHOD": "piped", "ANSIBLE_SSH_ARGS": SSH}
        options["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(self.sockets)
        known = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        known["ANSIBLE_CONFIG"] = str(ROLLOUT.with_name("ansible.cfg"))
        with log.open("w") as into:
            process = self.hub.popen(
                [*command, str(ROLLOUT)], stdin=subprocess.DEVNULL, stdout=into, stderr=into, env=known | options
            )
            try:
                status = process.wait(RUN_S)
            finally:
                end([process])  # Or it would start what nobody stops any more.
        printed = log.read_text()
        recap = {name: (int(changed), int(lost), int(bad)) for name, _ok, changed, lost, bad in RECAP.findall(printed)}
        return status, printed, recap

    def state(self, host: str) -> dict[str, object]:
        """What tells whether a host was touched: its files, and the process that runs."""
        root = self.home / host
        files = [root / name for name in ("usr/local/bin/portgauge-agent", "etc/portgauge/agent.toml")]
        files.append(root / "state" / "supervise.pid")
        # Digests: where two differ, pytest tells both, and the program has millions of bytes.
        return {file.name: (file.stat().st_mtime_ns, sha256(file.read_bytes()).hexdigest()) for file in files}


def inventory(home: Path, url: str, join: str, read: str) -> dict[str, object]:
    hosts = {
        name: {
            "ansible_host": f"10.77.{number}.2",
            "portgauge_prefix": str(home / name),
            "portgauge_state_dir": str(home / name / "state"),
            "ansible_remote_tmp": str(home / name / "ansible"),
        }
        for number, name in enumerate(HOSTS, start=1)
    }
    settings = {"interval_s": 2.0, "netns": ["own"], "labels": {"site": "test"}}
    options = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(home / "key"),
        "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        "ansible_python_interpreter": "/usr/bin/python3",
        "portgauge_become": False,
        "portgauge_manager": "plain",
        "portgauge_collector": url,
        "portgauge_join_token": join,
        "portgauge_read_token": read,
        "portgauge_role": "edge",
        "portgauge_settings": settings,
        "portgauge_bake_s": 1,
        "portgauge_reports_needed": 2,
        "portgauge_health_within_s": 90,
        "portgauge_health_every_s": 1,
    }
    return {"all": {"hosts": hosts, "vars": options}}


@pytest.fixture
def fleet(sshd: Path, new_netns: Callable[[], Netns], tmp_path: Path) -> Iterator[Fleet]:
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # The package's service makes it, where it is started.
    hub = new_netns()
    for key in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    (tmp_path / "sshd.conf").write_text(SSHD.format(home=tmp_path))
    hub.check_output(["ip", "address", "add", "10.77.0.1/32", "dev", "lo"])
    for number in range(1, len(HOSTS) + 1):
        host = new_netns()
        hub.join(host, f"10.77.{number}.1/24", f"10.77.{number}.2/24", f"cable{number}")
        host.check_output(["ip", "route", "add", "default", "via", f"10.77.{number}.1"])
        host.popen([str(sshd), "-D", "-e", "-f", str(tmp_path / "sshd.conf")], stderr=subprocess.DEVNULL)
    database = migrated(tmp_path)
    read = a_token(database, "--scope", "read")
    join = a_token(database, "--scope", "join", "--role", "edge", "--uses", "10", "--expires", "1h")
    block = serving(database, listen="10.77.0.1:0")
    collector = hub.run(block.__enter__)  # Its process lives where it is started.
    (tmp_path / "hosts.yml").write_text(json.dumps(inventory(tmp_path, collector.url, join, read)))
    try:
        with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as sockets:
            yield Fleet(tmp_path, hub, collector, read, Path(sockets))
    finally:
        supervised = [tmp_path / name / "state" / "supervise" for name in HOSTS]
        stopping = [subprocess.Popen([one, "stop"]) for one in supervised if one.exists()]
        try:
            assert [one.wait(PATIENCE_S) for one in stopping] == [0] * len(stopping)
        finally:
            end(stopping)
            block.__exit__(None, None, None)


@pytest.fixture(scope="module")
def program(artifacts: Path) -> Path:
    return artifacts / "portgauge-agent"


@pytest.mark.timeout(600)
def test_a_fleet_is_rolled_out_again_without_a_change_and_a_bad_build_stops_at_the_canary(
    fleet: Fleet, program: Path, tmp_path: Path
) -> None:
    """One story, because a rollout takes its time: first, second, and a third that goes wrong."""
    status, printed, recap = fleet.roll(program, portgauge_batches=["100%"])
    assert status == 0, printed
    assert recap.keys() == set(HOSTS)
    assert all(changed > 0 and not (lost or bad) for changed, lost, bad in recap.values()), printed
    for name in HOSTS:
        token = tmp_path / name / "state" / "token"
        assert token.stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / name / "etc/portgauge/join-token").exists()

    before = {name: fleet.state(name) for name in HOSTS}
    status, printed, recap = fleet.roll(program)
    assert (status, recap) == (0, dict.fromkeys(HOSTS, (0, 0, 0))), printed
    assert {name: fleet.state(name) for name in HOSTS} == before

    broken = tmp_path / "broken"
    broken.write_bytes(b"#!/bin/sh\n[ $1 = config ] || exit 1\n")
    status, printed, recap = fleet.roll(broken, portgauge_health_within_s=3)
    assert status != 0
    assert recap["lb1"][2] == 1, printed
    assert "lb1 is not healthy" in printed
    assert "from the process before the change" in printed
    assert {name: fleet.state(name) for name in HOSTS[1:]} == {name: before[name] for name in HOSTS[1:]}
    assert fleet.read not in printed

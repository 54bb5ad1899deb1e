"""A real agent and a real collector, each proving to the other who it is; certificates renewed under way."""

import json
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.agent_process import AnAgent, until
from tests.certificates import Authority, an_authority
from tests.collector_process import PROGRAM, a_token, migrated, run
from tests.secret import a_secret

LISTENING = "portgauge-collector listening on https://"


@contextmanager
def collecting_under_tls(database: Path, config: Path) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    command: list[str | Path] = [
        PROGRAM,
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        database,
        "--config",
        config,
    ]
    log = database.with_suffix(".log").open("a")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(LISTENING), database.with_suffix(".log").read_text()
        try:
            yield process, line.split()[-1]
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path / "agent", {})
    yield made
    made.end()


def test_both_prove_who_they_are_and_renewed_certificates_are_taken_up(
    tmp_path: Path, authority: Authority, agent: AnAgent
) -> None:
    database, own, theirs = migrated(tmp_path), authority.sign("lb1"), authority.sign("collector")
    config = tmp_path / "collector.toml"
    config.write_text(f"tls_cert = {json.dumps(str(theirs))}\ntls_client_ca = {json.dumps(str(authority.ca))}\n")
    a_secret(agent.token, a_token(database, "--scope", "push"))
    read = a_token(database, "--scope", "read")

    with collecting_under_tls(database, config) as (collector, url):
        agent.configure(collector=url, interval_s=0.2, tls_ca=str(authority.ca), tls_cert=str(own))
        agent.start()
        until(lambda: told(authority, own, url, read)["received"] >= 3)

        other = an_authority(tmp_path / "other")
        shutil.copy(other.sign("collector"), theirs)
        collector.send_signal(signal.SIGHUP)
        until(lambda: "certificates are read again" in database.with_suffix(".log").read_text())
        before = told(other, own, url, read)["received"]
        until(lambda: told(other, own, url, read)["received"] >= before + 3)  # The line that is held goes on.
        assert "cannot be reached" not in agent.log.read_text()

        agent.configure(collector=url, interval_s=0.2, tls_ca=str(other.ca))
        agent.process.send_signal(signal.SIGHUP)
        agent.until_logged("cannot be reached")  # Without a certificate of its own it is not let in.
        agent.configure(collector=url, interval_s=0.2, tls_ca=str(other.ca), tls_cert=str(own))
        agent.process.send_signal(signal.SIGHUP)
        until(lambda: told(other, own, url, read)["missing"] == 0)
        agent.until_logged("the configuration is reloaded changed=tls_cert")
    assert "clear text" not in database.with_suffix(".log").read_text()


def told(authority: Authority, own: Path, url: str, token: str) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=authority.ca)
    context.load_cert_chain(own)
    request = Request(f"{url}/v1/hosts", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own address
    with urlopen(request, timeout=10, context=context) as response:  # noqa: S310
        hosts: list[dict[str, Any]] = json.load(response)["items"]
    return hosts[0] if hosts else {"received": 0}


def test_a_certificate_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, agent: AnAgent) -> None:
    database, config = migrated(tmp_path), tmp_path / "collector.toml"
    config.write_text('tls_cert = "/nowhere"\n')
    done = run("serve", "--database", database, "--config", config)
    agent.configure(collector="https://127.0.0.1:9", tls_ca="/nowhere")

    assert done.returncode == 2
    assert "tls_cert, tls_key: /nowhere and /nowhere cannot be read: No such file" in done.stderr
    assert agent.start().wait(60) == 2
    assert "tls_ca: /nowhere cannot be used: No such file" in agent.log.read_text()

"""The manifests: valid by Kubernetes' own schemas, and no more rights than docs/operating.md gives reasons for."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.config import AgentConfig
from collector.config import Config
from shared.settings import build
from tools.release.source import ROOT, source_of

MANIFESTS = ROOT / "packaging" / "kubernetes"
FILES = sorted(MANIFESTS.glob("*.yaml"))
VALIDATE = Path(sys.executable).with_name("kubernetes-validate")
OLDEST, NEWEST = "1.30", "1.34"
WORKLOADS = ("DaemonSet", "StatefulSet", "Deployment", "Job")


def documents(kind: str) -> list[Any]:
    return [one for file in FILES for one in yaml.safe_load_all(file.read_text()) if one["kind"] == kind]


def pods() -> list[Any]:
    return [one["spec"]["template"]["spec"] for kind in WORKLOADS for one in documents(kind)]


def containers() -> list[Any]:
    return [one for pod in pods() for one in (*pod.get("initContainers", ()), *pod["containers"])]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_fits_the_schemas(version: str) -> None:
    command: list[str | Path] = [VALIDATE, "--strict", "--quiet", "--kubernetes-version", version, *FILES]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_agent_has_the_rights_of_the_document_and_no_other() -> None:
    (daemon,) = documents("DaemonSet")
    (rights,) = re.findall(r"### Rights\n(.*?)\n### ", (ROOT / "docs" / "operating.md").read_text(), re.DOTALL)
    documented = {name for row in re.findall(r"^\| (CAP_.*?) \|", rights, re.MULTILINE) for name in row.split(", ")}
    (container,) = daemon["spec"]["template"]["spec"]["containers"]

    capabilities = container["securityContext"]["capabilities"]

    assert {f"CAP_{name}" for name in capabilities["add"]} == documented
    assert capabilities["drop"] == ["ALL"]
    assert "privileged" not in container["securityContext"]


def test_the_agent_sees_the_nodes_ports() -> None:
    (daemon,) = documents("DaemonSet")

    assert daemon["spec"]["template"]["spec"]["hostNetwork"] is True


def test_no_container_writes_where_it_was_not_given_a_place() -> None:
    assert [one["name"] for one in containers() if not one["securityContext"]["readOnlyRootFilesystem"]] == []


def test_only_the_agent_is_root() -> None:
    of_root = [pod for pod in pods() if not pod.get("securityContext", {}).get("runAsNonRoot")]

    assert [one["name"] for pod in of_root for one in pod["containers"]] == ["agent"]
    assert all(one["securityContext"]["capabilities"]["drop"] == ["ALL"] for one in containers())


def test_secrets_come_from_secrets_and_only_their_owner_reads_them() -> None:
    (daemon,) = documents("DaemonSet")
    (token,) = [one["secret"] for one in daemon["spec"]["template"]["spec"]["volumes"] if "secret" in one]
    literal = [env["name"] for one in containers() for env in one.get("env", ()) if "value" in env]

    assert token["defaultMode"] == 0o400
    assert literal == []


def test_the_configuration_in_them_is_accepted() -> None:
    kinds = {"agent.toml": AgentConfig, "collector.toml": Config}

    for one in documents("ConfigMap"):
        for name, text in one["data"].items():
            build(kinds[name], tomllib.loads(text), name)


def test_they_ask_for_images_of_this_version() -> None:
    assert {one["image"].partition(":")[2] for one in containers()} == {source_of(ROOT).version}

"""What is beside the artifacts: hashes that hold, and a bill of materials that says what is in there."""

import json
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.release.source import ROOT, source_of

LOCKS = {"agent": ROOT / "requirements" / "agent.lock", "collector": ROOT / "requirements" / "collector.lock"}


def pinned(lock: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), re.MULTILINE))


def bill(artifacts: Path, side: str) -> Any:
    (written,) = artifacts.glob(f"portgauge-{side}-*.cdx.json")
    return json.loads(written.read_text())


def components(told: Any) -> set[tuple[str, str]]:
    return {(one["name"].lower().replace("_", "-"), one["version"]) for one in told["components"]}


def test_the_hashes_are_of_every_file(artifacts: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=artifacts, capture_output=True, text=True, check=True
    )

    assert done.stdout.count(": OK") == len(list(artifacts.iterdir())) - 1


@pytest.mark.parametrize("side", LOCKS)
def test_the_bill_names_only_what_is_pinned_and_its_licence(artifacts: Path, side: str) -> None:
    told = bill(artifacts, side)

    assert components(told) <= pinned(LOCKS[side])
    assert [one["name"] for one in told["components"] if not one.get("licenses")] == []


def test_the_single_file_holds_what_the_bill_names(artifacts: Path) -> None:
    names = zipfile.ZipFile(artifacts / "portgauge-agent").namelist()
    inside = {
        tuple(name.split(".dist-info")[0].rsplit("-", 1)) for name in names if name.endswith(".dist-info/METADATA")
    }

    carried = {(name.replace("_", "-"), version) for name, version in inside if name != "portgauge"}
    # On a later Python the bill has no typing-extensions; the file carries it for 3.11.
    assert carried - components(bill(artifacts, "agent")) <= {("typing-extensions", dict(carried)["typing-extensions"])}


def test_every_artifact_bears_the_version_of_pyproject(artifacts: Path) -> None:
    version = source_of(ROOT).version

    assert [
        p.name for p in artifacts.iterdir() if version not in p.name and p.name not in {"SHA256SUMS", "portgauge-agent"}
    ] == []


@pytest.mark.parametrize("side", LOCKS)
def test_hosts_get_what_the_tests_ran_with(side: str) -> None:
    assert pinned(LOCKS[side]) <= pinned(ROOT / "requirements" / "dev.lock")


@pytest.mark.parametrize("side", LOCKS)
def test_the_lock_knows_every_dependency(side: str) -> None:
    """A new one goes into pyproject.toml and then, by `make lock` or its commands, into all locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(project["optional-dependencies"]["collector"] if side == "collector" else ())]
    locked = {name for name, _ in pinned(LOCKS[side])}

    assert {re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in wanted} - locked == set()

"""The Containerfile: what it copies is made, and what it starts is installed; no engine runs in these tests."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tools.release.source import ROOT

FOLDER = ROOT / "packaging" / "container"
TEXT = (FOLDER / "Containerfile").read_text()


def test_everything_it_copies_is_made_by_make_dist_or_is_in_the_tree(artifacts: Path) -> None:
    (patterns,) = re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE)
    there = [f"dist/{one.name}" for one in artifacts.iterdir()]
    there += [f"requirements/{one.name}" for one in (ROOT / "requirements").iterdir()]

    assert [one for one in patterns.split() if not any(fnmatch(name, one) for name in there)] == []
    kept = (FOLDER / "Containerfile.containerignore").read_text()
    assert [one for one in patterns.split() if f"!{one}" not in kept.splitlines()] == []


def test_it_starts_our_programs_from_where_they_are_installed() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert set(re.findall(r'ENTRYPOINT \["/opt/portgauge/bin/([\w-]+)"\]', TEXT)) == set(scripts)


def test_every_stage_it_copies_from_is_one_of_its_own() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", TEXT, re.MULTILINE))

    assert set(re.findall(r"COPY --from=(\S+)", TEXT)) <= stages
    assert {"agent", "collector"} <= stages


def test_nothing_is_installed_without_its_hash() -> None:
    installs = re.findall(r"pip install (.*?)(?: \\)?$", TEXT, re.MULTILINE)

    assert [one for one in installs if "--require-hashes" not in one and "--no-deps" not in one] == []

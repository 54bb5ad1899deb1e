"""The Debian package, from installation to purge, in a Debian of its own; and what Debian's own checker says of it."""

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging import chroot
from tests.packaging.chroot import Chroot
from tools.release import debian, library
from tools.release.source import ROOT, source_of

STATE = "/var/lib/portgauge-agent"
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(debian.missing_tools()), reason="debhelper and dh-python are not installed (make deps)"),
]


@pytest.fixture(scope="session")
def package(artifacts: Path) -> Path:
    (made,) = artifacts.glob("*.deb")
    return made


@pytest.fixture(scope="session")
def next_package(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same tree as a later version."""
    place = tmp_path_factory.mktemp("next")
    (wheel,) = artifacts.glob("*.whl")
    library.lay_out(source_of(ROOT), wheel, place / "library")
    (archive,) = artifacts.glob("portgauge-share-*.tar.gz")
    (place / "share").mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", place / "share"], check=True)
    later = dataclasses.replace(source_of(ROOT), version="999.0")
    return debian.build(later, place / "library", place / "share", place)


@pytest.fixture(scope="session")
def a_debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroot]:
    if reason := chroot.why_none():
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("debian") / "root"
    made = chroot.bootstrapped(root)
    if isinstance(made, str):
        pytest.skip(made)
    yield made
    shutil.rmtree(root)


@pytest.fixture
def installed(a_debian: Chroot, package: Path) -> Iterator[Chroot]:
    """A Debian with the package; and without a trace of it after the test."""
    shutil.copy(package, a_debian.root / "root" / "agent.deb")
    a_debian.sh("dpkg -i /root/agent.deb")
    yield a_debian
    a_debian.sh(
        "echo portgauge-agent portgauge-agent/remove-state boolean true | debconf-set-selections;"
        f" dpkg --purge portgauge-agent; echo PURGE | debconf-communicate portgauge-agent; rm -rf {STATE}"
    )


def with_a_token(there: Chroot) -> None:
    """As its man page has it."""
    there.sh("echo made-up > /root/token; install -m 0640 -g portgauge-agent /root/token /etc/portgauge/token")


def with_undelivered_samples(there: Chroot) -> None:
    """As the service runs it: its user, its state directory. Nobody listens in a namespace of its own."""
    as_its_user = "setpriv --reuid=portgauge-agent --regid=portgauge-agent --init-groups --inh-caps=-all"
    there.sh(f"install -d -m 700 -o portgauge-agent -g portgauge-agent {STATE}")
    run = (
        f"STATE_DIRECTORY={STATE} timeout -k 30 5 {as_its_user} portgauge-agent run --config /etc/portgauge/agent.toml"
    )
    there.sh(f"{run} || test $? = 124")
    assert there.has(f"{STATE}/spool.db")


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed (make deps)")
def test_lintian_has_nothing_to_say(package: Path) -> None:
    done = subprocess.run(["lintian", "--fail-on", "warning", package], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_it_counts_right_after_it_is_installed(installed: Chroot) -> None:
    assert "a pool can lend 28,232" in installed.sh("portgauge-agent pools --netns own")
    assert installed.sh("portgauge-agent --version").strip() == source_of(ROOT).version


def test_manual_and_completion_come_with_it(installed: Chroot) -> None:
    there = installed.sh("dpkg -L portgauge-agent").splitlines()
    for path in (
        "/usr/share/man/man8/portgauge-agent.8.gz",
        "/usr/share/bash-completion/completions/portgauge-agent",
        "/usr/share/zsh/vendor-completions/_portgauge-agent",
        "/usr/share/fish/vendor_completions.d/portgauge-agent.fish",
    ):
        assert path in there


def test_the_service_waits_for_its_token_as_a_user_of_its_own(installed: Chroot) -> None:
    assert installed.sh("ls /etc/systemd/system/multi-user.target.wants | grep portgauge")
    assert "/usr/sbin/nologin" in installed.sh("getent passwd portgauge-agent")
    dropin = "/usr/lib/systemd/system/portgauge-agent.service.d/only-with-a-token.conf"
    assert "ConditionPathExists=|/etc/portgauge/token" in installed.sh(f"cat {dropin}")
    with_a_token(installed)
    as_its_user = "setpriv --reuid=portgauge-agent --regid=portgauge-agent --init-groups"
    installed.sh(f"{as_its_user} portgauge-agent config check --config /etc/portgauge/agent.toml")


def test_an_upgrade_keeps_configuration_token_and_state(installed: Chroot, next_package: Path) -> None:
    with_a_token(installed)
    with_undelivered_samples(installed)
    installed.sh("sed -i s/127.0.0.1/127.0.0.2/ /etc/portgauge/agent.toml")
    shutil.copy(next_package, installed.root / "root" / "next.deb")

    installed.sh("dpkg -i /root/next.deb")

    assert installed.sh("dpkg-query -W -f '${Version}' portgauge-agent") == "999.0"
    assert "127.0.0.2" in installed.sh("cat /etc/portgauge/agent.toml")
    assert installed.has("/etc/portgauge/token")
    assert installed.has(f"{STATE}/spool.db")


def test_removed_it_leaves_what_is_needed_to_come_back(installed: Chroot) -> None:
    with_a_token(installed)
    with_undelivered_samples(installed)

    installed.sh("dpkg --remove portgauge-agent")

    assert not installed.has("/usr/bin/portgauge-agent")
    assert not installed.has("/usr/share/portgauge-agent")
    assert installed.has("/etc/portgauge/agent.toml")
    assert installed.has("/etc/portgauge/token")
    assert installed.has(f"{STATE}/spool.db")


def test_a_purge_takes_configuration_and_token_but_not_undelivered_samples(installed: Chroot) -> None:
    """Nobody was there to be asked, so nobody wanted them gone."""
    with_a_token(installed)
    with_undelivered_samples(installed)

    installed.sh("dpkg --purge portgauge-agent")

    assert not installed.has("/etc/portgauge")
    assert installed.has(f"{STATE}/spool.db")


def test_a_purge_that_is_told_so_leaves_nothing_but_the_user(installed: Chroot) -> None:
    """The user stays, as Debian has it: its number must not come to own files of somebody else."""
    with_a_token(installed)
    with_undelivered_samples(installed)
    installed.sh("echo portgauge-agent portgauge-agent/remove-state boolean true | debconf-set-selections")

    installed.sh("dpkg --purge portgauge-agent")

    assert installed.sh("find /etc /usr /var /lib -xdev -name '*portgauge*'") == ""

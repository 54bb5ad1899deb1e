"""A small Debian of our own, in a directory: packages are installed, upgraded and removed in there, not here."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
WITH = "python3,systemd-standalone-sysusers"
_SCRIPT = 'mount -t proc proc /proc; eval "$1"'


@dataclass(frozen=True, slots=True)
class Chroot:
    """Its root directory. Every command runs in mount, pid and network namespaces that end with it."""

    root: Path

    def try_sh(self, script: str) -> subprocess.CompletedProcess[str]:
        """What a script in there says and answers."""
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net"]
        command: list[str | Path] = [*namespaces, "chroot", self.root, "sh", "-ec", _SCRIPT, "sh", script]
        known = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=120)

    def sh(self, script: str) -> str:
        """What a script in there says; it must succeed."""
        done = self.try_sh(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def has(self, path: str) -> bool:
        return (self.root / path.lstrip("/")).exists()


def why_none() -> str:
    """Why there can be no such Debian here; empty where there can."""
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed (make deps)"
    return "" if os.geteuid() == 0 else "debootstrap makes a Debian as root only"


def bootstrapped(into: Path) -> Chroot | str:
    """One with Python in it, or why there is none: the mirror may be out of reach."""
    command: list[str | Path] = ["debootstrap", "--variant=minbase", f"--include={WITH}", SUITE, into, MIRROR]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"debootstrap {SUITE} from {MIRROR}: {(done.stdout + done.stderr).strip().splitlines()[-1]}"
    return Chroot(into)

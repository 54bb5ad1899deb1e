"""Where the ssh server is, and why there is none to be had."""

import os
import shutil
from pathlib import Path

PATH = Path("/usr/sbin/sshd")


def why_none() -> str | None:
    """One line for a person; None where sshd can run."""
    if not PATH.exists() or not shutil.which("ssh-keygen"):
        return "no sshd here: make deps installs openssh-server"
    is_real_root = os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    return None if is_real_root else "sshd needs root, and not root of namespaces of one's own"

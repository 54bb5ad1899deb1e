"""Files that hold a secret, a token or a private key: used only where nobody else on this host can read them."""

import os
import stat
from pathlib import Path

from shared.errors import PortgaugeError

_OTHERS = stat.S_IRWXO
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_GROUP_MAY_READ = stat.S_IWGRP | stat.S_IXGRP | _OTHERS
ROOT = 0


class SecretExposed(PortgaugeError):
    """Somebody else can read or replace the file. Names the mend, never the content."""

    def __init__(self, path: Path, why: str, fix: str) -> None:
        super().__init__(f"{path}: {why}; {fix} {path}")
        self.path, self.why, self.fix = path, why, fix


def read_secret(path: Path) -> str:
    """The text of the file. Raises SecretExposed, OSError or UnicodeDecodeError."""
    with path.open(encoding="utf-8") as file:
        _refuse_exposed(path, os.fstat(file.fileno()))
        return file.read()


def require_private(path: Path) -> None:
    """Raise SecretExposed (or OSError) for a file that a library will read by itself, such as a private key."""
    _refuse_exposed(path, path.stat())


def exposure(mode: int, owner: int, own: int) -> tuple[str, str]:
    """(why a secret in such a file is exposed, the command that mends it) for a process of user `own`; empty if safe.

    As libpq has it for private keys: what we own is ours alone; what root owns a group may read, for a service that is
    not root could not read it otherwise.
    """
    if owner not in (own, ROOT):
        return f"it belongs to user {owner}, who can replace it", f"chown {own}"
    forbidden, fix = (_GROUP_AND_OTHERS, "chmod 600") if owner == own else (_GROUP_MAY_READ, "chmod 640")
    if mode & forbidden:
        return f"others on this host have access to it (mode {stat.S_IMODE(mode):04o})", fix
    return "", ""


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    why, fix = exposure(status.st_mode, status.st_uid, os.geteuid())
    if why:
        raise SecretExposed(path, why, fix)

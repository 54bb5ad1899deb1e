"""Who this host is."""

import re
import socket
from pathlib import Path

from shared.limits import MAX_NAME_CHARS

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def host_name() -> str:
    """The host's name, made fit for the wire: letters, digits and . _ : - only."""
    name = re.sub(r"[^A-Za-z0-9._:-]", "-", socket.gethostname()).lstrip("._:-")
    return name[:MAX_NAME_CHARS] or "localhost"


def kernel_boot_id() -> str:
    """The kernel's identifier of this boot."""
    return BOOT_ID.read_text().strip()

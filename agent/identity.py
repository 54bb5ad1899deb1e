"""Who this host is."""

import re
import socket
from functools import cache
from pathlib import Path

from shared.limits import MAX_NAME_CHARS

MACHINE_ID = Path("/etc/machine-id")
APPLICATION = bytes.fromhex("5a1c62b3c2a14f0d9f1e7c0f6f2d8be4")
"""Stands for portgauge in what the machine id is hashed with. Never to be changed: every host would look new."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def host_name() -> str:
    """The host's name, made fit for the wire: letters, digits and . _ : - only."""
    name = re.sub(r"[^A-Za-z0-9._:-]", "-", socket.gethostname()).lstrip("._:-")
    return name[:MAX_NAME_CHARS] or "localhost"


def kernel_boot_id() -> str:
    """The kernel's identifier of this boot."""
    return BOOT_ID.read_text().strip()


@cache
def machine_id(file: Path = MACHINE_ID) -> str:
    """What tells this installation from others of the same name: 32 hex digits; empty where it has no machine id.

    machine-id(5) asks to keep the id itself confidential; this is what sd_id128_get_machine_app_specific(3) makes of
    it for one application.
    """
    try:
        told = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    if not re.fullmatch(r"[0-9a-f]{32}", told):
        return ""  # "uninitialized" during a first boot.
    import hashlib  # noqa: PLC0415 - with OpenSSL these take a command 3 ms, and only `run` asks
    import hmac  # noqa: PLC0415

    made = bytearray(hmac.digest(bytes.fromhex(told), APPLICATION, hashlib.sha256)[:16])
    made[6], made[8] = made[6] & 0x0F | 0x40, made[8] & 0x3F | 0x80  # As of an UUID of version 4.
    return made.hex()

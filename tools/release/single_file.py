"""The agent as one file: a zip that Python runs, with everything in it."""

import time
import zipfile
from pathlib import Path

SHEBANG = b"#!/usr/bin/env python3\n"
START = '''"""The portgauge agent in one file: `python3 portgauge-agent --help`."""

import sys

if sys.version_info < (3, 11):
    sys.exit("portgauge-agent needs Python 3.11 or newer; %s is %d.%d" % ((sys.executable,) + sys.version_info[:2]))

from agent.__main__ import main

sys.exit(main())
'''
"""In words that any Python 3 understands, so that an older one hears why."""

_READABLE = 0o644 << 16
_UNIX = 3


def pack(library: Path, epoch_s: int, into: Path) -> None:
    """Write `library` as one executable file: sorted, of one time, so that the bytes depend on nothing else."""
    with into.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w") as archive:
            _add(archive, "__main__.py", START.encode(), epoch_s)
            for path in sorted(library.rglob("*")):
                if path.is_file():
                    _add(archive, path.relative_to(library).as_posix(), path.read_bytes(), epoch_s)
    into.chmod(0o755)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, epoch_s: int) -> None:
    entry = zipfile.ZipInfo(name, time.gmtime(epoch_s)[:6])
    entry.external_attr, entry.create_system = _READABLE, _UNIX
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)

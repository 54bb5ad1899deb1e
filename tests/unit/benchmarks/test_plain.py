"""What is compared is what it says: without compiled modules, as the single file runs."""

import os
import subprocess
import sys

from benchmarks.plain import FALLBACKS

LOADED = """
import sys, aiohttp, msgpack
modules = [(name, getattr(one, "__file__", None) or "") for name, one in sys.modules.items()]
print(*[name for name, file in modules if file.endswith(".so") and "site-packages" in file])
"""


def compiled_modules(environment: dict[str, str]) -> list[str]:
    command = [sys.executable, "-c", LOADED]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_the_fallbacks_leave_every_compiled_module_out_but_one() -> None:
    assert compiled_modules({**os.environ, **FALLBACKS}) == ["aiohttp._http_writer"]
    assert len(compiled_modules(dict(os.environ))) > 1

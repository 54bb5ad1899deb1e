"""What is saved at import must not be missing where TLS is spoken."""

import subprocess
import sys


def test_the_import_reads_no_certificates_and_leaves_the_interpreter_as_it_was() -> None:
    program = """
import ssl
from agent.lean import aiohttp
print(len(aiohttp.connector._SSL_CONTEXT_VERIFIED.get_ca_certs()))
print("set_default_verify_paths" in vars(ssl.SSLContext))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["0", "False"]

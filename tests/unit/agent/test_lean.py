"""What is saved at import must not be missing where TLS is spoken."""

import ssl
import subprocess
import sys

from agent.lean import trust


def test_who_speaks_tls_trusts_the_authorities_of_the_system() -> None:
    context = trust("https://collector.example")

    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert trust("http://collector.example") is True


def test_the_import_reads_no_certificates_and_leaves_the_interpreter_as_it_was() -> None:
    program = """
import ssl
from agent.lean import aiohttp
print(len(aiohttp.connector._SSL_CONTEXT_VERIFIED.get_ca_certs()))
print("set_default_verify_paths" in vars(ssl.SSLContext))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["0", "False"]

"""Certificates: named mistakes, and files that change while the agent runs."""

import shutil
import ssl
from pathlib import Path

import pytest

from agent.tls import ClientTls, TlsFiles, TlsUnusable, client_context
from tests.certificates import Authority


def test_files_that_change_are_read_again_and_bad_ones_leave_the_old_in_force(authority: Authority) -> None:
    own = authority.sign("lb1")
    tls = ClientTls(TlsFiles(authority.ca, own))
    first = tls.context()
    assert tls.context() is first

    good = own.read_bytes()
    own.write_bytes(b"half written")
    assert tls.context() is first
    own.write_bytes(good + b"\n")
    assert tls.context() is not first


def test_a_key_that_others_can_read_is_refused(authority: Authority) -> None:
    own = authority.sign("lb1")
    own.chmod(0o644)

    with pytest.raises(TlsUnusable, match=r"tls_key: .*chmod 600"):
        client_context(TlsFiles(authority.ca, own))


def test_a_file_that_is_missing_or_holds_no_certificate_is_named(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(TlsUnusable, match=r"tls_ca: .*/nowhere cannot be used: No such file"):
        client_context(TlsFiles(tmp_path / "nowhere"))
    with pytest.raises(TlsUnusable, match=r"tls_ca: .*/empty cannot be used"):
        client_context(TlsFiles(tmp_path / "empty"))
    shutil.copy(authority.ca, tmp_path / "no-key")
    (tmp_path / "no-key").chmod(0o600)
    with pytest.raises(TlsUnusable, match=r"tls_cert, tls_key"):
        client_context(TlsFiles(authority.ca, tmp_path / "no-key"))


def test_without_an_authority_of_ones_own_those_of_the_system_are_trusted() -> None:
    """Aiohttp was imported without them: agent.lean."""
    context = client_context(TlsFiles())

    assert len(context.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname

"""Certificates of the collector: mistakes are named, a bad renewal changes nothing."""

from pathlib import Path

import pytest

from collector.config import Config, InvalidConfig
from collector.tls import TlsUnusable, server_tls
from tests.certificates import Authority


def test_without_a_certificate_there_is_no_tls() -> None:
    assert server_tls(None, None, None) is None


def test_a_key_or_an_authority_alone_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="tls_cert is needed"):
        Config(tls_client_ca=tmp_path / "ca")


def test_files_that_cannot_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    own = authority.sign("collector")
    with pytest.raises(TlsUnusable, match=r"tls_cert, tls_key: .*nowhere.* cannot be read: No such file"):
        server_tls(tmp_path / "nowhere", None, None)
    with pytest.raises(TlsUnusable, match=r"tls_cert, tls_key: .* cannot be used"):
        server_tls(authority.ca, authority.sign("other"), None)
    with pytest.raises(TlsUnusable, match=r"tls_client_ca: .*nowhere cannot be read"):
        server_tls(own, None, tmp_path / "nowhere")


def test_a_bad_renewal_changes_nothing(authority: Authority) -> None:
    own = authority.sign("collector")
    tls = server_tls(own, None, authority.ca)
    assert tls is not None
    before = tls.context.get_ca_certs()

    own.write_text("half written")
    with pytest.raises(TlsUnusable):
        tls.read_again()

    assert tls.context.get_ca_certs() == before

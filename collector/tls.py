"""TLS at the collector's own door: its certificate, and whose certificates it asks for."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.errors import PortgaugeError


class TlsUnusable(PortgaugeError):
    """A file named in the settings is no certificate or key that can be used."""


@dataclass(slots=True)
class ServerTls:
    """The context that connections are accepted with, and the PEM files it comes from."""

    cert: Path
    key: Path
    client_ca: Path | None
    """Authorities that must have signed a client's certificate; None asks for none."""
    context: ssl.SSLContext

    def read_again(self) -> None:
        """Use what the files hold now for connections from now on. Raises TlsUnusable, and then nothing changes.

        An authority that was taken out of `client_ca` is trusted until the collector is started anew.
        """
        _filled(self.cert, self.key, self.client_ca)
        _fill(self.context, self.cert, self.key, self.client_ca)


def server_tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> ServerTls | None:
    """None where no certificate is configured; the key may stand in the same file. Raises TlsUnusable."""
    if cert is None:
        return None
    return ServerTls(cert, key or cert, client_ca, _filled(cert, key or cert, client_ca))


def _filled(cert: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _fill(context, cert, key, client_ca)
    return context


def _fill(context: ssl.SSLContext, cert: Path, key: Path, client_ca: Path | None) -> None:
    # Never ask a terminal for the password of a key.
    _named(f"tls_cert, tls_key: {cert} and {key}", lambda: context.load_cert_chain(cert, key, password=lambda: ""))
    if client_ca:
        _named(f"tls_client_ca: {client_ca}", lambda: context.load_verify_locations(client_ca))
        context.verify_mode = ssl.CERT_REQUIRED


def _named(what: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise TlsUnusable(f"{what} cannot be used: {error.reason or error}") from None
    except OSError as error:
        raise TlsUnusable(f"{what} cannot be read: {error.strerror}") from None

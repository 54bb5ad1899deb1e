"""Whom the agent trusts, and how it proves itself: files that are read again when they change."""

import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from agent.secret_file import SecretExposed, require_private
from shared.errors import PortgaugeError
from shared.logs import fields

log = logging.getLogger(__name__)


class TlsUnusable(PortgaugeError):
    """A file named in the settings is no certificate or key that can be used."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files; None: the system's authorities, no certificate of our own."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(slots=True)
class ClientTls:
    """The context for the next connection."""

    files: TlsFiles
    _context: ssl.SSLContext = field(init=False)
    _seen: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Raise TlsUnusable."""
        self._seen = _stamps(self.files)
        self._context = client_context(self.files)

    def context(self) -> ssl.SSLContext:
        """With what the files hold now; with what they held before while they cannot be used."""
        stamps = _stamps(self.files)
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._context = client_context(self.files)
                log.info("certificates are read again", extra=fields(tls_cert=self.files.cert, tls_ca=self.files.ca))
            except TlsUnusable as error:
                log.warning("certificates are not read again, the old ones hold", extra=fields(why=str(error)))
        return self._context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Verifying, TLS 1.2 or later. Raises TlsUnusable naming the key of the settings at fault."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (OSError, ssl.SSLError) as error:
        raise TlsUnusable(f"tls_ca: {files.ca} cannot be used: {_reason(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert:
        _prove(context, files.cert, files.key or files.cert)
    return context


def _prove(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    try:
        require_private(key)
        context.load_cert_chain(cert, key, password=lambda: "")  # Never ask a terminal.
    except SecretExposed as error:
        raise TlsUnusable(f"tls_key: {error}") from None
    except (OSError, ssl.SSLError) as error:
        raise TlsUnusable(f"tls_cert, tls_key: {cert} and {key} cannot be used: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return (isinstance(error, ssl.SSLError) and error.reason) or error.strerror or str(error)


def _stamps(files: TlsFiles) -> tuple[object, ...]:
    return tuple(_stamp(path) for path in (files.ca, files.cert, files.key) if path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size

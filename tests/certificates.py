"""An authority for a test and what it signs, made by openssl."""

import functools
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPENSSL = shutil.which("openssl")


@dataclass(frozen=True, slots=True)
class Authority:
    """PEM files in a folder of its own."""

    place: Path

    @property
    def ca(self) -> Path:
        return self.place / "ca.pem"

    def sign(self, name: str) -> Path:
        """A certificate for `name`, loopback and localhost, and its key, in one file that only we can read."""
        key, request, cert = (self.place / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self.place / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _openssl("req", "-new", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.place / "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", extensions, "-out", cert),
        )
        both = self.place / f"{name}.pem"
        both.touch(mode=0o600)
        both.write_text(cert.read_text() + key.read_text())
        return both


def an_authority(place: Path) -> Authority:
    place.mkdir(parents=True, exist_ok=True)
    made = Authority(place)
    subject = ("-subj", f"/CN=an authority of {place.name}", "-days", "2")
    _openssl("req", "-x509", *_KEY, "-keyout", place / "ca.key", "-out", made.ca, *subject)
    return made


@functools.cache
def why_none() -> str | None:
    """Why there are no certificates here; None where there are."""
    return None if OPENSSL else "no openssl here: apt-get install openssl"


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([OPENSSL or "openssl", *arguments], check=True, capture_output=True)

"""Tokens as text and as what is kept of them. Pure, but for the randomness of a new one.

`pg_<id>_<secret>`: the id finds the row, the secret proves the right to use it. A secret has 256 random bits, so one
round of SHA-256 is as good as a slow hash: there is no dictionary to try.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import PortgaugeError

_TOKEN = re.compile(r"pg_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)


class Unauthenticated(PortgaugeError):
    """No token, or none that is known and alive."""

    def __init__(self, what: str = "the token is not known here, or was revoked; make one with: token create") -> None:
        super().__init__(what)


class Forbidden(PortgaugeError):
    """A good token, but not for this."""


class Scope(StrEnum):
    """What a token is for."""

    PUSH = "push"
    """Send snapshots; of one host, where the token names one."""
    READ = "read"
    """Ask questions and open the page."""
    ADMIN = "admin"
    """Whatever read may, and changes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What is kept of a token."""

    id: str
    scope: Scope
    host: str | None
    digest: bytes
    created_ms: int
    revoked_ms: int | None = None

    def is_proved_by(self, secret: str) -> bool:
        """Whether the secret is this token's and the token is alive; takes the same time for every wrong secret."""
        return hmac.compare_digest(self.digest, digest_of(secret)) and self.revoked_ms is None

    def may_read(self) -> bool:
        """Whether it may ask questions."""
        return self.scope in {Scope.READ, Scope.ADMIN}

    def may_push_for(self, host: str) -> bool:
        """Whether it may send that host's snapshots."""
        return self.scope is Scope.PUSH and self.host in {None, host}


def issue(scope: Scope, host: str | None, now_ms: int) -> tuple[str, Grant]:
    """A new token, to be shown once, and what to keep of it."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"pg_{token_id}_{secret}", Grant(token_id, scope, host, digest_of(secret), now_ms)


def parse(text: str) -> tuple[str, str] | None:
    """(id, secret), or None where the text cannot be a token."""
    match = _TOKEN.fullmatch(text)
    return (match[1], match[2]) if match else None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()

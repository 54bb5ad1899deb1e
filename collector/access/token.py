"""What is kept of a token, and what it grants. Pure, but for the randomness of a new one (shared.token)."""

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.errors import PortgaugeError
from shared.token import digest_of, new_token, parse


class Unauthenticated(PortgaugeError):
    """No token, or none that is known and alive."""

    def __init__(
        self, what: str = "the token is not known here, expired, or was revoked; make one with: token create"
    ) -> None:
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
    JOIN = "join"
    """Be exchanged for a push token of one host, so many times, until it expires."""

    @property
    def one(self) -> str:
        """`a read token`, `an admin token`."""
        return f"{'an' if self is Scope.ADMIN else 'a'} {self} token"


@dataclass(frozen=True, slots=True)
class Grant:
    """What is kept of a token. Times in ms since the epoch."""

    id: str
    scope: Scope
    host: str | None
    digest: bytes
    created_ms: int
    revoked_ms: int | None = None
    expires_ms: int | None = None
    """From when on it proves nothing; None: never."""
    renew_ms: int | None = None
    """From when on its agent is asked to exchange it for another."""
    uses_left: int | None = None
    """Of a join token: how many hosts it still lets in."""
    role: str | None = None
    """Of a join token: the only role it lets in. Of a push token: the role its host was let in as."""
    life_ms: int | None = None
    """How long the push tokens live that come of it; None: for good."""

    def is_proved_by(self, secret: str, now_ms: int) -> bool:
        """Whether the secret is this token's and the token is alive; takes the same time for every wrong secret."""
        return self.is_secret(secret) and self.is_alive(now_ms)

    def is_secret(self, secret: str) -> bool:
        """Whether the secret is this token's, alive or not."""
        return hmac.compare_digest(self.digest, digest_of(secret))

    def is_alive(self, now_ms: int) -> bool:
        """Whether it was neither revoked nor has expired."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)

    def may_read(self) -> bool:
        """Whether it may ask questions."""
        return self.scope in {Scope.READ, Scope.ADMIN}

    def may_push_for(self, host: str) -> bool:
        """Whether it may send that host's snapshots."""
        return self.scope is Scope.PUSH and self.host in {None, host}


def issue(scope: Scope, host: str | None, now_ms: int, life_ms: int | None = None) -> tuple[str, Grant]:
    """A new token, to be shown once, and what to keep of it. `life_ms`: how long it lives; None: until revoked."""
    text = new_token()
    parsed = parse(text)
    assert parsed  # noqa: S101 - we made it
    return text, granted(Grant(parsed[0], scope, host, digest_of(parsed[1]), now_ms, life_ms=life_ms))


def granted(grant: Grant) -> Grant:
    """The grant with the end its life has, and the time at which a push token is to be renewed: a third before."""
    if grant.life_ms is None:
        return grant
    renew_ms = grant.created_ms + grant.life_ms * 2 // 3 if grant.scope is Scope.PUSH and grant.host else None
    return replace(grant, expires_ms=grant.created_ms + grant.life_ms, renew_ms=renew_ms)

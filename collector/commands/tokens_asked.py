"""What somebody who asks for a new token may say of it. Pure."""

from dataclasses import dataclass, replace

from collector.access.token import Grant, Scope, granted
from shared.errors import PortgaugeError

JOIN_LIFE_MS = 24 * 3_600_000
MOST_USES = 100_000


class NotForThisScope(PortgaugeError):
    """An option that means nothing for a token of this scope, or nothing good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A token to be made. Lengths in ms; None: no end."""

    scope: Scope
    host: str | None
    lives_ms: int | None
    uses: int | None
    role: str | None
    life_ms: int | None

    def laid_over(self, grant: Grant) -> Grant:
        """The grant of the token as it was asked for."""
        if self.scope is not Scope.JOIN:
            return granted(replace(grant, life_ms=self.lives_ms))
        ends_ms = grant.created_ms + (self.lives_ms or JOIN_LIFE_MS)
        return replace(grant, expires_ms=ends_ms, uses_left=self.uses, role=self.role, life_ms=self.life_ms)


def asked(  # noqa: PLR0913 - as many as there are options
    scope: Scope,
    *,
    host: str | None,
    expires_ms: int | None,
    uses: int | None,
    role: str | None,
    life_ms: int | None,
) -> Asked:
    """What the options mean together. Raises NotForThisScope."""
    if host and scope is not Scope.PUSH:
        raise NotForThisScope(f"--host binds a push token; a {scope} token has no host: leave it out")
    if scope is not Scope.JOIN and (uses is not None or role is not None or life_ms is not None):
        raise NotForThisScope(f"--uses, --role and --token-life limit join tokens; leave them out for {scope}")
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise NotForThisScope(f"--uses: a number of hosts from 1 to {MOST_USES:,} is needed")
    uses = (uses or 1) if scope is Scope.JOIN else None
    return Asked(scope=scope, host=host, lives_ms=expires_ms, uses=uses, role=role, life_ms=life_ms)

"""What an alert is about, and the key that names it for good. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, TypedDict

from collector.alerts.conditions import Scope
from collector.fleet.document import one_of, pool_document
from shared.addresses import format_endpoint
from shared.model import Pool

KEY_CHARS = 32


class SubjectShape(TypedDict):
    """What an alert is about: the keys of a pool are null where it is none."""

    subject: Annotated[str, one_of(Scope)]
    name: str
    host: str | None
    netns: str | None
    kind: str | None
    local_ip: str | None
    peer_ip: str | None
    peer_port: int | None


@dataclass(frozen=True, slots=True)
class Subject:
    """`name`: the host of a pool or host, `IP:PORT` of a peer, the role, channel or rollout; empty for the fleet."""

    scope: Scope
    name: str = ""
    pool: Pool | None = None

    @property
    def host(self) -> str | None:
        """The host it is on, where it is on one."""
        return self.name if self.scope in {Scope.POOL, Scope.HOST} else None

    def document(self) -> SubjectShape:
        """What names it, in notices and answers."""
        pool = self.pool
        return {
            "subject": self.scope.value,
            "name": self.name,
            "host": self.host,
            "netns": pool.netns if pool else None,
            "kind": pool.kind.value if pool else None,
            "local_ip": pool.local_ip if pool else None,
            "peer_ip": pool.peer_ip if pool else None,
            "peer_port": pool.peer_port if pool else None,
        }

    def __str__(self) -> str:
        if self.scope is Scope.POOL:
            return f"{self.name}: {self.pool}"
        return {Scope.HOST: self.name, Scope.FLEET: "the fleet"}.get(self.scope, f"{self.scope} {self.name}")


def of_pool(host: str, pool: Pool) -> Subject:
    """One pool of a host."""
    return Subject(Scope.POOL, host, pool)


def of_peer(peer: bytes, port: int) -> Subject:
    """One backend over all hosts."""
    return Subject(Scope.PEER, format_endpoint(peer, port))


def alert_key(rule: str, subject: Subject) -> str:
    """The same for ever for one rule on one subject."""
    pool = pool_document(subject.pool).values() if subject.pool else ()
    return stable_key(subject.name, rule, *pool) if pool else stable_key(subject.scope.value, subject.name, rule)


def stable_key(*parts: object) -> str:
    """32 hexadecimal characters that name these parts."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:KEY_CHARS]

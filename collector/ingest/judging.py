"""Whether a push may be kept: by its token and by its body. Pure."""

from collector.access.token import Forbidden, Grant, Scope
from collector.fleet.host import Arrival
from collector.ingest.outline import outline


def require_push(grant: Grant) -> None:
    """Raise Forbidden for a token of another scope."""
    if grant.scope is not Scope.PUSH:
        raise Forbidden(f"{grant.scope.one} cannot push; make one with: token create --scope push")


def arrival_of(body: bytes, grant: Grant, received_ms: int) -> Arrival:
    """The snapshot as it arrived, wholly checked. Raises wire.WireError, and Forbidden where it is another host's."""
    snapshot = outline(body)
    if not grant.may_push_for(snapshot.host):
        raise Forbidden(f"this token speaks for host {grant.host!r}, not for {snapshot.host!r}")
    return Arrival(snapshot, body, received_ms)

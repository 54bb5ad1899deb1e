"""Whether a push may be kept."""

import pytest

from collector.access.token import Forbidden, Scope, issue
from collector.ingest.judging import arrival_of, require_push
from shared import wire
from tests.builders import NOON_MS, a_reading, a_snapshot

BODY = wire.encode(a_snapshot(a_reading()))


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
def test_only_a_push_token_pushes(scope: Scope) -> None:
    with pytest.raises(Forbidden):
        require_push(issue(scope, None, NOON_MS)[1])
    require_push(issue(Scope.PUSH, None, NOON_MS)[1])


def test_a_token_bound_to_a_host_speaks_for_it_alone() -> None:
    assert arrival_of(BODY, issue(Scope.PUSH, "lb1", NOON_MS)[1], NOON_MS).snapshot.host == "lb1"
    with pytest.raises(Forbidden, match="lb2"):
        arrival_of(BODY, issue(Scope.PUSH, "lb2", NOON_MS)[1], NOON_MS)


def test_a_body_that_is_none_is_refused() -> None:
    with pytest.raises(wire.WireError):
        arrival_of(BODY[:-1], issue(Scope.PUSH, None, NOON_MS)[1], NOON_MS)

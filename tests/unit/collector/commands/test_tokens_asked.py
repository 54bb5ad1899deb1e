"""What may be said of a new token."""

from typing import Any

import pytest

from collector.access.token import Scope, issue
from collector.commands.tokens_asked import JOIN_LIFE_MS, NotForThisScope, asked
from tests.builders import NOON_MS

NOTHING: dict[str, Any] = {"host": None, "expires_ms": None, "uses": None, "role": None, "life_ms": None}


def test_a_join_token_lets_in_one_host_within_a_day_unless_told_otherwise() -> None:
    _, grant = issue(Scope.JOIN, None, NOON_MS)
    made = asked(Scope.JOIN, **NOTHING).laid_over(grant)
    assert (made.uses_left, made.expires_ms, made.life_ms) == (1, NOON_MS + JOIN_LIFE_MS, None)
    made = asked(Scope.JOIN, **NOTHING | {"uses": 40, "expires_ms": 1_000, "life_ms": 9, "role": "edge"}).laid_over(
        grant
    )
    assert (made.uses_left, made.expires_ms, made.life_ms, made.role) == (40, NOON_MS + 1_000, 9, "edge")


def test_other_tokens_live_until_they_are_revoked_unless_told_otherwise() -> None:
    _, grant = issue(Scope.READ, None, NOON_MS)
    assert asked(Scope.READ, **NOTHING).laid_over(grant).expires_ms is None
    assert asked(Scope.READ, **NOTHING | {"expires_ms": 5}).laid_over(grant).expires_ms == NOON_MS + 5


@pytest.mark.parametrize(
    ("scope", "option"),
    [
        (Scope.READ, {"host": "lb1"}),
        (Scope.JOIN, {"host": "lb1"}),
        (Scope.PUSH, {"uses": 1}),
        (Scope.PUSH, {"role": "edge"}),
        (Scope.JOIN, {"uses": 0}),
    ],
)
def test_what_means_nothing_for_a_scope_is_refused(scope: Scope, option: dict[str, Any]) -> None:
    with pytest.raises(NotForThisScope):
        asked(scope, **NOTHING | option)

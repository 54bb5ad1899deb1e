"""Tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.access.token import Grant, Scope, issue, parse
from tests.builders import NOON_MS


def test_a_token_proves_itself_and_no_other() -> None:
    text, grant = issue(Scope.READ, None, NOON_MS)
    other, _ = issue(Scope.READ, None, NOON_MS)
    parsed, strange = parse(text), parse(other)
    assert parsed
    assert strange
    assert parsed[0] == grant.id
    assert grant.is_proved_by(parsed[1])
    assert not grant.is_proved_by(strange[1])


def test_what_is_kept_does_not_contain_the_secret() -> None:
    text, grant = issue(Scope.READ, None, NOON_MS)
    parsed = parse(text)
    assert parsed
    assert parsed[1].encode() not in grant.digest
    assert parsed[1] not in repr(grant)


def test_a_revoked_token_proves_nothing() -> None:
    text, grant = issue(Scope.READ, None, NOON_MS)
    revoked = Grant(grant.id, grant.scope, None, grant.digest, NOON_MS, NOON_MS + 1)
    parsed = parse(text)
    assert parsed
    assert not revoked.is_proved_by(parsed[1])


@pytest.mark.parametrize(
    ("scope", "bound_to", "may_read", "may_push"),
    [
        (Scope.PUSH, "lb1", False, True),
        (Scope.PUSH, "lb2", False, False),
        (Scope.PUSH, None, False, True),
        (Scope.READ, None, True, False),
        (Scope.ADMIN, None, True, False),
    ],
)
def test_a_scope_grants_what_it_says(scope: Scope, bound_to: str | None, *, may_read: bool, may_push: bool) -> None:
    _, grant = issue(scope, bound_to, NOON_MS)
    assert grant.may_read() is may_read
    assert grant.may_push_for("lb1") is may_push


@given(st.text())
def test_any_text_may_be_offered_as_a_token(text: str) -> None:
    assert parse(text) is None

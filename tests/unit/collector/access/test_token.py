"""Tokens."""

import pytest

from collector.access.token import Grant, Scope, issue
from shared.token import parse
from tests.builders import NOON_MS


def test_a_token_proves_itself_and_no_other() -> None:
    text, grant = issue(Scope.READ, None, NOON_MS)
    other, _ = issue(Scope.READ, None, NOON_MS)
    parsed, strange = parse(text), parse(other)
    assert parsed
    assert strange
    assert parsed[0] == grant.id
    assert grant.is_proved_by(parsed[1], NOON_MS)
    assert not grant.is_proved_by(strange[1], NOON_MS)


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
    assert not revoked.is_proved_by(parsed[1], NOON_MS)


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


def test_an_expired_token_proves_nothing() -> None:
    text, grant = issue(Scope.READ, None, NOON_MS, life_ms=1_000)
    parsed = parse(text)
    assert parsed
    assert grant.is_proved_by(parsed[1], NOON_MS + 999)
    assert not grant.is_proved_by(parsed[1], NOON_MS + 1_000)


def test_a_token_of_one_host_is_renewed_a_third_before_its_end() -> None:
    """Its agent asks; a shared token has nobody who would."""
    assert issue(Scope.PUSH, "lb1", NOON_MS, life_ms=900)[1].renew_ms == NOON_MS + 600
    assert issue(Scope.PUSH, None, NOON_MS, life_ms=900)[1].renew_ms is None

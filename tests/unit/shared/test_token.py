"""Tokens as text."""

from hypothesis import given
from hypothesis import strategies as st

from shared.token import DIGEST, ID, digest_of, new_token, parse


def test_a_new_token_can_be_read_and_no_two_are_alike() -> None:
    first, second = parse(new_token()), parse(new_token())
    assert first
    assert second
    assert first != second
    assert ID.fullmatch(first[0])
    assert DIGEST.fullmatch(digest_of(first[1]).hex())


@given(st.text())
def test_any_text_may_be_offered_as_a_token(text: str) -> None:
    assert parse(text) is None

"""Cursors as text. That pages add up to their list is in tests/contract/collector/api/test_paging.py."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.cursor import AfterAlert, AfterName, AfterPool, BeforeId, cursor_of, page_of, written
from collector.api.params import InvalidParameter, Params
from shared.model import Kind


def asked(text: str) -> Params:
    return Params([("cursor", text)], ("cursor",))


@pytest.mark.parametrize(
    "cursor",
    [
        AfterName("lb-ü"),
        BeforeId(7),
        AfterAlert(is_pool=True, occupancy=0.1 + 0.2, name="lb1", id=3),
        AfterPool(0.85, 44, "lb1", "host", Kind.CONNECT, bytes([10, 0, 0, 1]), bytes(16), 8080),
    ],
)
def test_a_cursor_comes_back_as_it_was_given(cursor: AfterName) -> None:
    assert cursor_of(asked(written(cursor)), type(cursor)) == cursor
    assert written(cursor).replace("-", "").replace("_", "").isalnum()


def test_without_one_the_list_begins() -> None:
    assert cursor_of(Params([], ("cursor",)), AfterName) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "%%%",
        "é",
        "A" * 5_000,
        written(BeforeId(7)),
        base64.urlsafe_b64encode(b'["name"]').decode(),
        base64.urlsafe_b64encode(b'["name", "lb\\u0000"]').decode(),
        base64.urlsafe_b64encode(b'["name", 1]').decode(),
    ],
)
def test_what_this_list_never_gave_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="cursor: this list gave no such cursor"):
        cursor_of(asked(text), AfterName)


@given(st.text(max_size=80))
def test_no_text_is_a_fault(text: str) -> None:
    for kind in (AfterName, BeforeId, AfterAlert, AfterPool):
        with suppress(InvalidParameter):
            cursor_of(asked(text.replace("\0", "")), kind)


def test_one_more_than_a_page_holds_means_that_there_is_a_next() -> None:
    page = page_of(["a", "b", "c"], 2, str.upper, AfterName)
    assert page == {"items": ["A", "B"], "next": written(AfterName("b"))}
    assert page_of(["a", "b"], 2, str.upper, AfterName)["next"] is None

"""Bodies of requests."""

import pytest

from collector.access.enrolment import Candidate, NewToken
from collector.api.body import built, document_in
from collector.api.params import InvalidParameter

TOKEN = {"id": "0" * 12, "digest": "a" * 64}


def test_a_good_body_is_a_value() -> None:
    made = built(Candidate, {"host": "lb1", "token": TOKEN})
    assert made == Candidate(host="lb1", token=NewToken(id="0" * 12, digest="a" * 64))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"host": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidParameter):
        document_in(body)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"host": "a b"}, "host"),
        ({"hots": "x"}, "hots"),
        ({"role": "a\nb"}, "role"),
        ({"token": {"id": "x", "digest": "a" * 64}}, "token.id"),
        ({"token": {"id": "0" * 12, "digest": "secret"}}, "token.digest"),
    ],
)
def test_a_mistake_names_its_key(changes: dict[str, object], key: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        built(Candidate, {"host": "lb1", "token": TOKEN} | changes)
    assert caught.value.parameter == key

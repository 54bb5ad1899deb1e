"""Answers of collectors that are older than whoever reads them, and of what is no collector."""

import json

import pytest

from shared.answer import NotUnderstood, answer_of

WHERE = "http://collector:8766/v1/plan"


def test_what_is_there_is_read_and_written_as_it_came() -> None:
    body = b'{"items": [{"host": "lb1", "outlook": {"page": null}}], "next": null}'

    answer = answer_of(body, WHERE)

    assert answer["items"][0]["outlook"]["page"] is None
    assert json.dumps(answer).encode() == body


@pytest.mark.parametrize("path", [(), ("items", 0), ("items", 0, "outlook")])
def test_a_key_that_an_older_collector_does_not_know_is_named_with_where_and_what_to_do(path: tuple[str | int]) -> None:
    found = answer_of(b'{"items": [{"outlook": {}}]}', WHERE)
    for step in path:
        found = found[step]  # type: ignore[index]

    with pytest.raises(NotUnderstood) as told:
        found["looked_at"]

    assert str(told.value).startswith(f"{WHERE} answers without 'looked_at'")
    assert "upgrade the collector" in str(told.value)
    assert found.get("looked_at") is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"a"', b"\xff{}", b"[" * 100_000])
def test_what_is_no_collector_is_said_so(body: bytes) -> None:
    with pytest.raises(NotUnderstood, match=f"{WHERE} answers, but not as a collector does"):
        answer_of(body, WHERE)

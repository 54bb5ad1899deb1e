"""Heads of pushes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.ingest.request import MAX_HEAD_BYTES, PushHead, may_become, parse
from shared import wire
from shared.limits import MAX_BODY_BYTES
from shared.token import digest_of

GOOD = (
    "POST /v1/snapshots HTTP/1.1",
    "Host: c:8766",
    f"Content-Type: {wire.CONTENT_TYPE}",
    "Authorization: Bearer pg_x",
    "Accept: */*",
    "Accept-Encoding: gzip, deflate",
    "User-Agent: Python/3.11 aiohttp/3.12",
    "Content-Length: 512",
)


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def test_what_an_agent_sends_is_read() -> None:
    assert parse(head(*GOOD)) == PushHead("pg_x", digest_of("pg_x"), 512, is_gzip=False)
    assert parse(head(*GOOD, "Content-Encoding: gzip")) == PushHead("pg_x", digest_of("pg_x"), 512, is_gzip=True)
    assert parse(head(*GOOD, "Connection: keep-alive")) == PushHead("pg_x", digest_of("pg_x"), 512, is_gzip=False)


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Connection: close",
        "Upgrade: websocket",
        "Content-Encoding: zstd",
        "Content-Length: 512",
        "Host: again",
        " folded",
        "no colon",
        "",
    ],
)
def test_one_line_out_of_the_ordinary_leaves_it_to_aiohttp(line: str) -> None:
    assert parse(head(*GOOD, line)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POST", "/v1/snapshots HTTP/1.0"),
        ("POST", "/v1/snapshots?x HTTP/1.1"),
        ("Content-Type", "text/plain"),
        ("Content-Length", "-1"),
        ("Content-Length", "0"),
        ("Content-Length", "1_0"),
        ("Content-Length", str(MAX_BODY_BYTES + 1)),
        ("Content-Length", "9" * 5000),
        ("Authorization", "Basic x"),
        ("Authorization", "Bearer ümlaut"),
    ],
)
def test_one_value_out_of_the_ordinary_too(name: str, value: str) -> None:
    sep = " " if name == "POST" else ": "
    lines = [f"{name}{sep}{value}" if line.startswith(name) else line for line in GOOD]
    assert parse(head(*lines)) is None


@pytest.mark.parametrize("missing", ["Host", "Content-Type", "Authorization", "Content-Length"])
def test_nothing_may_be_missing(missing: str) -> None:
    assert parse(head(*(line for line in GOOD if not line.startswith(missing)))) is None


def test_a_beginning_may_become_a_push_as_long_as_it_is_one_s_and_not_too_long() -> None:
    whole = head(*GOOD)
    assert all(may_become(whole[:size]) for size in range(len(whole)))
    assert not may_become(b"GET / HTTP/1.1")
    assert not may_become(b"POST /v1/snapshots HTTP/1.0")
    assert not may_become(whole + b"x" * MAX_HEAD_BYTES)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_not(data: bytes) -> None:
    assert parse(data) is None
    assert parse(head(*GOOD) + b"\r\n" + data) in {None, PushHead("pg_x", digest_of("pg_x"), 512, is_gzip=False)}

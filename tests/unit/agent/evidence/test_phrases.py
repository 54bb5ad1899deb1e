"""Lines as proxies and runtimes write them, and lines that only look like it."""

import pytest

from agent.evidence.phrases import MOST_CHARS, Phrase, recognise
from shared.addresses import parse_ip

APP = parse_ip("10.0.9.21")
HAPROXY = "Jan  4 03:12:09 lb1 haproxy[812]: Connect() failed for backend app: no free ports."
NGINX = (
    "2026/01/04 03:12:09 [crit] 812#812: *45 connect() to 10.0.9.21:8080 failed (99: Cannot assign requested address) "
    'while connecting to upstream, client: 203.0.113.7, server: _, request: "GET /pay?card=4111 HTTP/1.1"'
)


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        (HAPROXY, Phrase("haproxy", "Connect() failed for backend app: no free ports")),
        (
            "Connect() failed for backend app: local address already in use.",
            Phrase("haproxy", "Connect() failed for backend app: local address already in use"),
        ),
        (
            "Cannot bind to source address before connect() for backend app. Aborting.",
            Phrase("haproxy", "Cannot bind to source address before connect() for backend app."),
        ),
        (
            NGINX,
            Phrase("nginx", "connect() to 10.0.9.21:8080 failed (99: Cannot assign requested address)", APP, 8080),
        ),
        (
            "[crit] connect() to [fd00::21]:80 failed (99: Cannot assign requested address) while connecting",
            Phrase(
                "nginx",
                "connect() to [fd00::21]:80 failed (99: Cannot assign requested address)",
                parse_ip("fd00::21"),
                80,
            ),
        ),
        (
            "[C7] immediate connect error: Cannot assign requested address|remote address:10.0.9.21:8080",
            Phrase(
                "envoy",
                "immediate connect error: Cannot assign requested address|remote address:10.0.9.21:8080",
                APP,
                8080,
            ),
        ),
        (
            "[C7] Bind failure. Failed to bind to 10.0.3.7:0: Address already in use",
            Phrase("envoy", "Bind failure. Failed to bind to 10.0.3.7:0: Address already in use"),
        ),
        (
            "dial tcp 10.0.9.21:8080: connect: cannot assign requested address",
            Phrase("", "dial tcp 10.0.9.21:8080: connect: cannot assign requested address", APP, 8080),
        ),
        (
            "Error: connect EADDRNOTAVAIL 10.0.9.21:8080 - Local (0.0.0.0:0)",
            Phrase("", "connect EADDRNOTAVAIL 10.0.9.21:8080", APP, 8080),
        ),
        (
            "java.net.BindException: Cannot assign requested address (connect failed)",
            Phrase("", "Cannot assign requested address (connect failed)"),
        ),
        (
            "ConnectionError: failed to connect: [Errno 99] Cannot assign requested address",
            Phrase("", "connect: [Errno 99] Cannot assign requested address"),
        ),
    ],
)
def test_each_is_recognised_with_its_destination_where_it_names_one(line: str, phrase: Phrase) -> None:
    assert recognise(line) == phrase


@pytest.mark.parametrize(
    "line",
    [
        "",
        "connect() to 10.0.9.21:8080 failed (111: Connection refused) while connecting to upstream",
        "bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "GET /how-to-fix-no-free-ports HTTP/1.1",
        "listen tcp :8080: bind: address already in use",
    ],
)
def test_other_trouble_is_not(line: str) -> None:
    assert recognise(line) is None


def test_nothing_of_whom_it_served_is_kept() -> None:
    found = recognise(NGINX)

    assert found is not None
    assert "203.0.113.7" not in found.text
    assert "4111" not in found.text


def test_what_is_kept_is_short_and_printable() -> None:
    found = recognise(f"Connect() failed for backend {'x' * 900}\x1b[31m: no free ports")

    assert found is not None
    assert len(found.text) == MOST_CHARS
    assert found.text.isprintable()


def test_a_port_that_is_none_names_no_destination() -> None:
    found = recognise("connect() to 10.0.9.21:99999 failed (99: Cannot assign requested address)")

    assert found is not None
    assert (found.peer, found.peer_port) == (b"", 0)


def test_the_end_of_an_endless_line_is_not_looked_at() -> None:
    assert recognise("x" * 5_000 + HAPROXY) is None

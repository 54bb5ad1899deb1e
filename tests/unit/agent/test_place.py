"""Where the agent may answer."""

import pytest

from agent.place import TcpPlace, UnixPlace, parse_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("unix:/run/x.sock", UnixPlace("/run/x.sock")),
        ("127.0.0.1:9766", TcpPlace("127.0.0.1", 9766, is_loopback=True)),
        ("127.9.9.9:1", TcpPlace("127.9.9.9", 1, is_loopback=True)),
        ("localhost:0", TcpPlace("127.0.0.1", 0, is_loopback=True)),
        ("[::1]:9766", TcpPlace("::1", 9766, is_loopback=True)),
        ("10.0.0.1:9766", TcpPlace("10.0.0.1", 9766, is_loopback=False)),
        ("[::]:9766", TcpPlace("::", 9766, is_loopback=False)),
        ("0.0.0.0:9766", TcpPlace("0.0.0.0", 9766, is_loopback=False)),
    ],
)
def test_a_place_is_read_with_who_can_reach_it(text: str, place: UnixPlace | TcpPlace) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text", ["", ":80", "::1:80", "host:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "unix:x"]
)
def test_nonsense_is_no_place(text: str) -> None:
    assert parse_place(text) is None


@pytest.mark.parametrize("text", ["unix:/run/x.sock", "127.0.0.1:9766", "[::1]:9766"])
def test_a_place_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_place(text)) == text

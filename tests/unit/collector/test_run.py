"""What `run` is made of. Its whole life is in tests/integration."""

import errno
import socket

import pytest

from collector.run import CannotListen, listening, shown


def test_an_address_is_held_from_the_beginning() -> None:
    with listening("127.0.0.1:0") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotListen, match="is in use"), listening(f"127.0.0.1:{port}"):
            pass
    with listening(f"127.0.0.1:{port}") as again:
        assert again.family == socket.AF_INET


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EADDRINUSE, "is in use"),
        (errno.EACCES, "above 1023"),
        (errno.EADDRNOTAVAIL, "not an address of this machine"),
        (errno.ENOBUFS, "No buffer space"),
    ],
)
def test_each_refusal_of_the_kernel_has_its_mend(number: int, hint: str) -> None:
    error = CannotListen("127.0.0.1", 80, OSError(number, "No buffer space"))
    assert hint in str(error)


def test_addresses_are_shown_as_they_are_typed() -> None:
    assert shown("127.0.0.1", 80) == "127.0.0.1:80"
    assert shown("::1", 80) == "[::1]:80"

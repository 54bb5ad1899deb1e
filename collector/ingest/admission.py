"""How much may be on its way in at once. What does not fit is refused, so that memory stays flat."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import PortgaugeError
from shared.limits import MAX_BODY_BYTES

MAX_REQUESTS = 1_024
MAX_BYTES = 64 * MAX_BODY_BYTES
RETRY_AFTER_S = 2
"""A batch commits in well under a second; agents add their own jitter."""


class Overloaded(PortgaugeError):
    """More arrives than can be written down."""

    def __init__(self, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(f"too much at once; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Admission:
    """Counts requests and body bytes from before a body is read until it is committed."""

    def __init__(self, *, max_requests: int = MAX_REQUESTS, max_bytes: int = MAX_BYTES) -> None:
        self._requests_left, self._bytes_left = max_requests, max_bytes

    def enter(self, size: int) -> None:
        """Take room for one request of `size` bytes, until `leave`. Raises Overloaded where there is none."""
        if self._requests_left < 1 or self._bytes_left < size:
            raise Overloaded
        self._requests_left -= 1
        self._bytes_left -= size

    def leave(self, size: int) -> None:
        """Give it back."""
        self._requests_left += 1
        self._bytes_left += size

    @contextmanager
    def admit(self, size: int) -> Iterator[None]:
        """Hold room for one request of `size` bytes. Raises Overloaded where there is none."""
        self.enter(size)
        try:
            yield
        finally:
            self.leave(size)

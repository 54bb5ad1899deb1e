"""What can be wrong with a body, each with its facts, so that an edge can choose its status without reading text."""

from collections.abc import Sequence

from shared.errors import PortgaugeError


class WireError(PortgaugeError):
    """A body that is not a snapshot this program can read."""


class Malformed(WireError):
    """A key is missing, of the wrong type or out of bounds."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


class UnknownSchema(WireError):
    """The sender speaks a schema that this program does not know."""

    def __init__(self, found: int, supported: Sequence[int]) -> None:
        known = ", ".join(map(str, supported))
        super().__init__(f"schema {found} is not known here; supported: {known}")
        self.found, self.supported = found, tuple(supported)


class TooLarge(WireError):
    """The body is longer than either side may send."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the body has {size} bytes, more than the {limit} allowed")
        self.size, self.limit = size, limit

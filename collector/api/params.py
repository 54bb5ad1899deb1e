"""Query parameters as typed values; a mistake names its parameter. Pure."""

import difflib
import math
import re
from collections.abc import Collection
from datetime import UTC, datetime

from shared.addresses import InvalidAddress, parse_endpoint, parse_ip
from shared.errors import PortgaugeError
from shared.limits import MAX_TIME_MS

_UNIX_SECONDS = re.compile(r"\d{1,13}(\.\d+)?", re.ASCII)


class InvalidParameter(PortgaugeError):
    """A query asks for something that cannot be answered."""

    def __init__(self, parameter: str, what: str) -> None:
        super().__init__(f"{parameter}: {what}")
        self.parameter = parameter


class Params:
    """The query of one request. Unknown and repeated parameters are refused: a typo must not widen an answer."""

    def __init__(self, pairs: Collection[tuple[str, str]], known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        self._known = frozenset(known)
        self.heeded: set[str] = set()
        """Which were asked for so far, given or not."""
        for name, value in pairs:
            if name not in known:
                raise InvalidParameter(name[:64], _unknown(name, known))
            if name in self._values:
                raise InvalidParameter(name, "is given twice")
            if "\0" in value:
                raise InvalidParameter(name, "a NUL is in no name")
            self._values[name] = value

    def text(self, name: str) -> str | None:
        """As given; None where it is absent or empty."""
        if name not in self._known:
            raise LookupError(f"the parameter {name!r} is read, but not declared")
        self.heeded.add(name)
        return self._values.get(name) or None

    def required(self, name: str, example: str) -> str:
        """As given. Raises InvalidParameter where it is missing."""
        value = self.text(name)
        if value is None:
            raise InvalidParameter(name, f"is required, like {name}={example}")
        return value

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 16 and low <= int(text) <= high):  # noqa: PLR2004
            raise InvalidParameter(name, f"a whole number from {low} to {high} is needed")
        return int(text)

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """A finite number within bounds, or None."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise InvalidParameter(name, f"a number from {low:.12g} to {high:.12g} is needed")
        return value

    def time_ms(self, name: str) -> int | None:
        """ISO 8601 (UTC unless it names an offset) or Unix seconds, as ms since the epoch; None where absent."""
        text = self.text(name)
        if text is None:
            return None
        at_ms = _unix_ms(text) if _UNIX_SECONDS.fullmatch(text) else _iso_ms(name, text)
        if not 0 <= at_ms <= MAX_TIME_MS:
            raise InvalidParameter(name, "is not a time this program can keep")
        return at_ms

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """One of the choices, or None."""
        text = self.text(name)
        if text is not None and text not in choices:
            raise InvalidParameter(name, f"one of {', '.join(choices)} is needed")
        return text

    def address(self, name: str) -> bytes | None:
        """An IP address, packed and folded, or None."""
        text = self.text(name)
        try:
            return None if text is None else parse_ip(text)
        except InvalidAddress as error:
            raise InvalidParameter(name, str(error)) from None

    def endpoint(self, name: str) -> tuple[bytes, int | None] | None:
        """`IP` or `IP:PORT` or `[IP]:PORT`, as (packed address, port or None), or None where absent."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse_ip(text), None
        except InvalidAddress:
            pass
        try:
            return parse_endpoint(text)
        except InvalidAddress as error:
            raise InvalidParameter(name, str(error)) from None


def _unix_ms(text: str) -> int:
    return round(float(text) * 1000)


def _iso_ms(name: str, text: str) -> int:
    try:
        # A plus that nobody escaped arrives as a space; no ISO time has one before its offset.
        at = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        what = "a time like 2026-11-22T09:00:00Z, or Unix seconds, is needed"
        raise InvalidParameter(name, what) from None


def _unknown(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"unknown parameter; {hint}" if known else "no parameters are known here"

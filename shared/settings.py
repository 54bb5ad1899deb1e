"""Configuration from TOML into a frozen dataclass: every key known, every value typed, every mistake explained.

A dataclass field is a key; its annotation is the type asked for; its default is the key's default. Supported: str, int,
float, bool, Path, `X | None`, `dict[str, str]`, `tuple[X, ...]` and nested dataclasses (tables).
"""

import dataclasses
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import PortgaugeError

T = TypeVar("T")
MOST_WHOLE = 2**63
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


class SettingsError(PortgaugeError):
    """A configuration file cannot be used. `key` is empty where the whole file is at fault, `line` 0 where unknown."""

    def __init__(self, source: str, key: str, what: str, line: int = 0) -> None:
        where = f"{source}:{line}" if line else source
        super().__init__(f"{where}: {f'{key}: ' if key else ''}{what}")
        self.source, self.key, self.what, self.line = source, key, what, line


class InvalidValue(PortgaugeError):
    """A value that could never work, said by the dataclass that was to hold it: `key` is the field at fault."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'page'?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def load(kind: type[T], path: Path) -> T:
    """Read `path` as a `kind`. Raises SettingsError that names the file, the line, the key and the mend."""
    values = read_toml(path)
    try:
        return build(kind, values, str(path))
    except SettingsError as error:
        line = line_of(_text(path), error.key)
        raise SettingsError(error.source, error.key, error.what, line) from None


def line_of(text: str, key: str) -> int:
    """Where `rule[1].where.kind` stands in this TOML text, or else the table around it; 0 where neither does."""
    *tables, name = re.sub(r"\[\d+\]", "", key).split(".")
    wanted = [int(number) for number in re.findall(r"\[(\d+)\]", key)]
    if key.endswith("]"):
        tables, name = [*tables, name], ""
    header = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
    current: list[str] = []
    seen, best = -1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if found := header.match(line):
            current = [part.strip().strip("\"'") for part in found[2].split(".")]
            seen += found[1] == "[[" and current == tables[:1]
        if current != tables[: len(current)] or (wanted and tables and seen != wanted[0]):
            continue
        if found and current:
            best = number
        rest = [*tables[len(current) :], name]
        if not found and re.match(rf"\s*[\"']?{re.escape(rest[0])}[\"']?\s*[=.]", line):
            return number
    return best


def read_toml(path: Path) -> dict[str, Any]:
    """The file as plain values. Raises SettingsError where it cannot be read or is not TOML."""
    text = _text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), "", f"is not TOML: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(str(path), "", "is not UTF-8 text") from None


def build(kind: type[T], values: Mapping[str, Any], source: str, prefix: str = "") -> T:
    """Make a `kind` of the values. `prefix` is the table they stand in, for messages."""
    assert dataclasses.is_dataclass(kind)  # noqa: S101 - a programmer's mistake, never a user's
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in dataclasses.fields(kind)}
    for key in values:
        if key not in known:
            raise SettingsError(source, prefix + key, _unknown(key, known))
    missing = [name for name, field in known.items() if name not in values and _is_required(field)]
    if missing:
        raise SettingsError(source, prefix + missing[0], "is required")
    made = {key: _value(hints[key], value, source, prefix + key) for key, value in values.items()}
    try:
        return kind(**made)
    except InvalidValue as error:
        raise SettingsError(source, prefix + error.key, str(error)) from None
    except PortgaugeError as error:
        raise SettingsError(source, prefix.rstrip("."), str(error)) from None


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _unknown(key: str, known: Mapping[str, object]) -> str:
    return "unknown key" + (nearest(key, known) or f"; known keys: {', '.join(known)}")


def _value(hint: Any, value: Any, source: str, key: str) -> Any:  # noqa: PLR0911 - one line a supported type
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return _value(next(a for a in arguments if a is not types.NoneType), value, source, key)
    if origin is dict:
        table = _expect(dict, value, source, key, "a table")
        return {name: _value(arguments[1], item, source, f"{key}.{name}") for name, item in table.items()}
    if origin is tuple:
        items = _expect(list, value, source, key, "a list")
        return tuple(_value(arguments[0], item, source, f"{key}[{number}]") for number, item in enumerate(items))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, _expect(dict, value, source, key, "a table"), source, f"{key}.")
    if hint is Path:
        return Path(_expect(str, value, source, key, _NAMES[Path]))
    if hint is float and type(value) is int and abs(value) < MOST_WHOLE:
        return float(value)
    return _expect(hint, value, source, key, _NAMES[hint])


def _expect(kind: type[T], value: Any, source: str, key: str, name: str) -> T:
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):  # Python counts True among integers.
        raise SettingsError(source, key, f"{name} is needed, not {value!r}")
    return value

"""All situations: each a function with a sentence, found in the modules of the folder beside this one."""

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.application import Application
from tests.oracle.ground import Ground

Build = Callable[[Ground], Application]
_FOUND: dict[str, "Situation"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A state of the host, built by a function that answers whose next connects are to be counted."""

    name: str
    says: str
    build: Build


def situation(build: Build) -> Build:
    """Enter a function into the catalogue, by its name and the sentence of its docstring."""
    says = " ".join((build.__doc__ or "").split()).removesuffix(".")
    enter(Situation(name=build.__name__, says=says, build=build))
    return build


def enter(one: Situation) -> None:
    """Enter a situation that is no function of its own."""
    if one.name in _FOUND:
        raise ValueError(f"two situations are called {one.name}")
    _FOUND[one.name] = one


def everything() -> Iterable[Situation]:
    """The situations of all modules, module by module."""
    for module in sorted((Path(__file__).parent / "situations").glob("*.py")):
        importlib.import_module(f"tests.oracle.situations.{module.stem}")
    return list(_FOUND.values())

"""A pytest plugin: when pytest itself breaks, what it left is written down, and its first error is told last.

A worker of pytest-xdist that breaks outside of a test takes the tests it held with it: they neither fail nor pass. The
error stands far above the end of the output then, which is all that a machine often keeps.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

_TOLD_LINES = 25


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unfinished", type=Path, metavar="FILE", help="where to write what was left, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("unfinished")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Unfinished(config, file), "unfinished")


class Unfinished:
    """What is left of the tests that were collected. Lives in the process that was started, not in its workers."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        self._config, self._file = config, file
        self._left: dict[str, None] = {}
        self._errors: list[str] = []
        self._has_failed = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        self._left = self._left or dict.fromkeys(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._has_failed |= report.failed

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._left.pop(nodeid, None)

    def pytest_internalerror(self, excrepr: object) -> None:
        self._errors.append(str(excrepr))

    def pytest_unconfigure(self) -> None:
        if not self._errors:
            return
        self._file.write_text(json.dumps({"left": list(self._left), "has_failed": self._has_failed}))
        terminal = self._config.get_terminal_writer()
        terminal.line(f"pytest broke, with {len(self._left)} tests left. Its first error:")
        for line in self._errors[0].splitlines()[-_TOLD_LINES:]:
            terminal.line(line)

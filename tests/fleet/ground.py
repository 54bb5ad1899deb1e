"""The fleet, running: switch, load balancers, backends, clients, collector. All of it ends with the block."""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from tests import postgres
from tests.acceptance.parts import NotInstalled, first_line, module, require_programs, running
from tests.fleet import wires
from tests.fleet.balancer import FRONT_PORT, Balancer, agent, balancer
from tests.fleet.centre import Centre, centre, rules_for
from tests.fleet.wires import BACKEND_PORT, BACKENDS, Switch, switched

LEAST_HOSTS = 2
PROGRAMS = ("haproxy", "ip", "prometheus-alertmanager")
REQUESTS_PER_S = 240
MOST_PER_HOST_PER_S = 40
PATIENCE_S = 300.0
"""How long any one thing may take on a busy machine: agents there are given their backlog slowly."""
PICKY_LABELS = 31
"""One host has so many labels of its own that two more are too many."""
SETTINGS = "interval_s = 1.0\ncpu_share = 0.05\n"
"""What every host is given as the fleet's configuration before anything goes wrong."""


class TookTooLong(RuntimeError):
    """Something did not come true in PATIENCE_S."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What faults happen on."""

    directory: Path
    switch: Switch
    balancers: Sequence[Balancer]
    centre: Centre
    settings: int
    """The revision that every host has."""
    _backends: "subprocess.Popen[str]"
    _listeners: Sequence[int]
    """The shared backends' file descriptors, as their process knows them."""

    @property
    def names(self) -> set[str]:
        """Of the load balancers."""
        return {one.name for one in self.balancers}

    @property
    def picky(self) -> Balancer:
        """The one that a further label does not fit."""
        return self.balancers[-1]

    def backend_is(self, number: int, speed: str) -> None:
        """A shared backend is `slow` or `quick` from now on."""
        assert self._backends.stdin
        self._backends.stdin.write(f"{speed} {self._listeners[number]}\n")
        self._backends.stdin.flush()


@contextmanager
def ground(hosts: int, *, is_hurried: bool = False) -> Iterator[Ground]:
    """A fleet of so many load balancers, all of them reporting and calm; `is_hurried`: rules hold for 3 s at most.

    Raises NotInstalled, DidNotStart, OSError.
    """
    require_programs(*PROGRAMS)
    _allow_files()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portgauge-fleet-")))
        switch = stack.enter_context(switched())
        at_centre = stack.enter_context(centre(switch, directory, rules_for(hosts, is_hurried=is_hurried)))
        balancers = [
            stack.enter_context(balancer(number, switch, directory / f"lb{number}")) for number in range(1, hosts + 1)
        ]
        shared = [stack.enter_context(wires.listener(switch.netns, one, BACKEND_PORT)) for one in BACKENDS]
        fds = [one.fileno() for one in (*shared, *(one.backend for one in balancers))]
        serving = module("tests.fleet.backend", *map(str, fds))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        backends = stack.enter_context(running(switch.netns, serving, pass_fds=fds, **pipes))
        first_line(backends)
        settings = at_centre.roll_out(directory / "fleet.toml", SETTINGS, "--most-cpu-share", "1", bake="1s")
        made = Ground(directory, switch, balancers, at_centre, settings, backends, fds[: len(BACKENDS)])
        stack.enter_context(_agents(made))
        stack.enter_context(_traffic(made))
        until(lambda: is_calm(made), "every load balancer reports, and nothing is wrong")
        yield made


def why_none() -> str | None:
    """Why no fleet can be had here, as one line; None where it can."""
    try:
        require_programs(*PROGRAMS)
    except NotInstalled as missing:
        return str(missing)
    return wires.why_none() or postgres.why_none() or None


def is_calm(on: Ground) -> bool:
    """Every host reports and has the fleet's settings, and nobody is told of anything."""
    reporting = {one["host"] for one in on.centre.items("/v1/hosts") if one["state"] == "reporting"}
    return (
        reporting == on.centre.having(on.settings) == on.names
        and not on.centre.notices()
        and not on.centre.items("/v1/alerts?state=firing")
    )


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds; who does not answer is asked again. Raises TookTooLong."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not _answers(holds):
        if time.monotonic() > deadline_s:
            raise TookTooLong(f"waited {PATIENCE_S:g} s in vain for this: {what}")
        time.sleep(0.1)


def _answers(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except HTTPError as error:
        error.close()
    except (URLError, TimeoutError, ConnectionError):
        pass
    return False


@contextmanager
def _agents(on: Ground) -> Iterator[None]:
    join_token = on.centre.join_token(len(on.balancers), on.directory)
    with ExitStack() as stack:
        for one in on.balancers:
            stack.enter_context(agent(one, on.centre.url, join_token, PICKY_LABELS if one is on.picky else 0))
        yield


@contextmanager
def _traffic(on: Ground) -> Iterator[None]:
    rate_per_s = min(REQUESTS_PER_S / len(on.balancers), MOST_PER_HOST_PER_S)
    doors = [f"{one.address}:{FRONT_PORT}" for one in on.balancers]
    clients = module("tests.fleet.traffic", str(rate_per_s), *doors)
    with running(on.switch.netns, clients, stdout=subprocess.PIPE) as process:
        first_line(process)
        yield


def _allow_files() -> None:
    """A slow backend is thousands of open files, in processes that inherit our limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

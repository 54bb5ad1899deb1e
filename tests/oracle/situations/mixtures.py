"""Busy hosts: everything at once, thrown together by chance and the same every time."""

import errno
import random
from collections.abc import Callable
from functools import partial

from tests.oracle.application import (
    CABLE,
    ELSEWHERE,
    HERE,
    HERE_TOO,
    OTHER_PORT,
    THERE,
    THERE_V6,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import Situation, enter
from tests.oracle.ground import HIGH, LOW, Ground

MIXTURES = 10
STEPS = 8
MOST_A_STEP = 12
NO_PORT = Setup(no_port=True)


def _by_number(chance: random.Random, take: Callable[[int], object]) -> None:
    """Use a few ports by number; those that somebody has already are left to them."""
    for port in chance.sample(range(LOW, HIGH + 1), chance.randrange(1, MOST_A_STEP)):
        try:
            take(port)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                raise


def _gone_server(ground: Ground, port: int) -> None:
    server = ground.listen(port)
    ground.accept(server, ground.connect_from_there(1, port))
    server.close()


def _poisoned(ground: Ground, port: int) -> None:
    client = ground.connect(1, port=OTHER_PORT)[0]
    binder = ground.bind(ELSEWHERE, client.getsockname()[1])
    if port % 2:
        binder.close()


COUNTED: tuple[Callable[[Ground, int], object], ...] = (
    lambda ground, count: ground.connect(count),
    lambda ground, count: ground.connect(count, mapped(THERE)),
    lambda ground, count: ground.connect(count, port=OTHER_PORT),
    lambda ground, count: ground.connect(count, bind=(HERE, 0)),
    lambda ground, count: ground.connect(count, port=OTHER_PORT, bind=(HERE, 0)),
    lambda ground, count: ground.connect(count, bind=(HERE_TOO, 0), setup=NO_PORT),
    lambda ground, count: ground.connect(count, setup=Setup(device=CABLE)),
    lambda ground, count: ground.connect(count, THERE_V6),
    lambda ground, count: ground.time_wait(count),
    lambda ground, count: ground.time_wait(count, bind=(HERE, 0)),
    lambda ground, count: ground.close(ground.connect(count)),
)
"""Steps that take so many ports, wherever the kernel chooses."""
BY_NUMBER: tuple[Callable[[Ground, int], object], ...] = (
    lambda ground, port: ground.listen(port),
    lambda ground, port: ground.listen(port, "::", Setup(v6only=True)),
    lambda ground, port: ground.bind(ELSEWHERE, port),
    lambda ground, port: ground.connect(1, port=OTHER_PORT, bind=(HERE, port)),
    lambda ground, port: ground.connect(1, bind=(HERE, port)),
    lambda ground, port: ground.connect(1, bind=(HERE, port), setup=Setup(reuse_address=True)),
    _gone_server,
    _poisoned,
)
"""Steps that want certain ports."""


def _mixed(ground: Ground, seed: int) -> Application:
    chance = random.Random(seed)
    ground.sysctl("tcp_tw_reuse", chance.randrange(3))
    ground.lend(LOW, HIGH + seed % 2)
    ground.sysctl("ip_local_reserved_ports", ",".join(map(str, chance.sample(range(LOW, HIGH), 15))))
    for _ in range(STEPS):
        if chance.random() < len(COUNTED) / (len(COUNTED) + len(BY_NUMBER)):
            chance.choice(COUNTED)(ground, chance.randrange(1, MOST_A_STEP))
        else:
            _by_number(chance, partial(chance.choice(BY_NUMBER), ground))
    ground.let_time_waits_age()
    return Application()


def _enter(seed: int) -> None:
    enter(
        Situation(
            name=f"mixture_{seed}",
            says=f"A busy host, thrown together by chance ({seed})",
            build=lambda ground: _mixed(ground, seed),
        )
    )


for number in range(MIXTURES):
    _enter(number)

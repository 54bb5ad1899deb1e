"""The judge: build a situation, let the observer answer, then really connect until the kernel refuses."""

import errno
import socket

from shared.tcp import State
from tests.oracle.application import Application, Skip, family_of, folded, mapped
from tests.oracle.catalogue import Situation
from tests.oracle.ground import SYSCTLS, Ground, fresh_ground
from tests.oracle.observer import Observer
from tests.oracle.outcome import Outcome, Verdict
from tests.oracle.proc_net import rows

MOST_CONNECTS = 1_000
"""No situation leaves as many ports; one that seems to is broken."""


class Broken(Exception):
    """A situation is not what it says: connects end otherwise than for want of a port."""


def judge(situation: Situation, observe: Observer) -> Outcome:
    """Try one situation in namespaces of its own."""
    with fresh_ground() as (here, ground):
        try:
            return here.run(_judge, situation, ground, observe)
        except Skip as reason:
            return _settled(situation, Verdict.SKIPPED, reason)
        except (Broken, OSError) as error:
            return _settled(situation, Verdict.BROKEN, error)


def _settled(situation: Situation, verdict: Verdict, why: Exception) -> Outcome:
    return Outcome(name=situation.name, says=situation.says, note=str(why), settled=verdict)


def _judge(situation: Situation, ground: Ground, observe: Observer) -> Outcome:
    application = situation.build(ground)
    told, complaint = observe(application)
    published = published_method(application)
    truth = connects_until_refused(application)
    return Outcome(
        name=situation.name, says=situation.says, truth=truth, told=told, published=published, note=complaint
    )


def published_method(application: Application) -> int:
    """What people compute: the range's high end − its low end − connected sockets of the group on ports in between."""
    low, high = map(int, (SYSCTLS / "ip_local_port_range").read_text().split())
    group = (application.local, application.peer, application.port)
    used = sum(
        low <= row.local_port <= high
        and (row.local, row.peer, row.peer_port) == group
        and row.state not in (State.LISTEN, State.CLOSE)
        for row in rows(application.protocol)
    )
    return high - low - used


def connects_until_refused(application: Application) -> int:
    """The truth: how many connects succeed, all kept open, before the kernel has no port for the next."""
    made: list[socket.socket] = []
    try:
        while len(made) < MOST_CONNECTS:
            one = application.setup.open(family_of(_as_written(application.peer, application)))
            made.append(one)
            one.settimeout(0)
            if not _gets_a_port(one, application):
                return len(made) - 1
    finally:
        for one in made:
            one.close()
    raise Broken(f"{MOST_CONNECTS} connects, and no end")


def _gets_a_port(one: socket.socket, application: Application) -> bool:
    """Connect as the application does; False where no port is left."""
    try:
        if application.binds:
            one.bind((_as_written(application.local, application), 0))
        one.connect((_as_written(application.peer, application), application.port))
    except BlockingIOError as error:
        if error.errno == errno.EAGAIN:
            return False
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EADDRINUSE):
            return False
        raise Broken(f"connect: {error.strerror}") from error
    if folded(one.getsockname()[0]) != application.local:
        raise Broken(f"connects leave from {one.getsockname()[0]}, not from {application.local}")
    return True


def _as_written(address: str, application: Application) -> str:
    return mapped(address) if application.mapped else address

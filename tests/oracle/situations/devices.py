"""Sockets bound to a device, and to a VRF: which of them meet."""

import subprocess
from pathlib import Path

from shared.tcp import State
from tests.oracle.application import CABLE, ELSEWHERE, HERE, LOOPBACK, OTHER_PORT, Application, Setup, Skip
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground

ON_CABLE = Setup(device=CABLE)
SOME = range(LOW + 10, LOW + 30)
VRF, IN_VRF = "blue", "leg"
HERE_VRF, NOBODY_VRF = "10.99.0.1", "10.99.0.2"


@situation
def device_of_others(ground: Ground) -> Application:
    """40 sockets of the pool bound to the device; the application is not: they do not meet."""
    ground.connect(40, setup=ON_CABLE)
    return Application()


@situation
def device_of_the_application(ground: Ground) -> Application:
    """40 plain sockets of the pool; the application binds to the device: they are in its way."""
    ground.connect(40)
    return Application(setup=ON_CABLE)


@situation
def device_of_both(ground: Ground) -> Application:
    """20 plain and 40 device-bound sockets of the pool; the application binds to the device as well."""
    ground.connect(20)
    ground.connect(40, setup=ON_CABLE)
    return Application(setup=ON_CABLE)


@situation
def device_and_plain(ground: Ground) -> Application:
    """20 plain and 40 device-bound sockets of the pool, on some ports both; the application is plain."""
    ground.connect(40, setup=ON_CABLE)
    ground.connect(20)
    return Application()


@situation
def device_listeners(ground: Ground) -> Application:
    """20 listeners bound to lo: their ports are blocked for sockets of every device."""
    for port in SOME:
        ground.listen(port, setup=Setup(device="lo"))
    return Application()


@situation
def device_listeners_against_another_device(ground: Ground) -> Application:
    """The same, and the application is bound to another device."""
    for port in SOME:
        ground.listen(port, setup=Setup(device="lo"))
    return Application(setup=ON_CABLE)


@situation
def device_bind0(ground: Ground) -> Application:
    """30 device-bound sockets that call bind(ip, 0) and connect elsewhere: blocked for everybody."""
    ground.connect(30, port=OTHER_PORT, bind=(HERE, 0), setup=ON_CABLE)
    return Application()


@situation
def device_explicit_of_the_pool(ground: Ground) -> Application:
    """20 device-bound sockets of the pool on ports by number; the application is plain: blocked."""
    for port in SOME:
        ground.connect(1, bind=(HERE, port), setup=ON_CABLE)
    return Application()


@situation
def vrf_listeners(ground: Ground) -> Application:
    """20 listeners bound to a VRF: outside it their ports are lent."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF))
    return Application()


@situation
def vrf_application(ground: Ground) -> Application:
    """The application is bound to a VRF, in which 30 connections are held; 20 listeners outside are not in its way."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, ELSEWHERE)
    ground.connect(30, NOBODY_VRF, setup=Setup(device=VRF), wait=False)
    ground.until(State.SYN_SENT, 30)
    return Application(local=HERE_VRF, peer=NOBODY_VRF, setup=Setup(device=VRF))


@situation
def vrf_listeners_against_its_application(ground: Ground) -> Application:
    """20 listeners in the VRF, 10 of them bound to its device and 10 to a member: blocked for who is in it."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF if port % 2 else IN_VRF))
    return Application(local=HERE_VRF, peer=NOBODY_VRF, setup=Setup(device=VRF))


@situation
def vrf_listeners_against_its_member(ground: Ground) -> Application:
    """20 listeners bound to the VRF; the application is bound to a device of it: the same buckets."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF))
    return Application(local=HERE_VRF, peer=NOBODY_VRF, setup=Setup(device=IN_VRF))


@situation
def vrf_bind0(ground: Ground) -> Application:
    """30 sockets of the VRF that called bind(ip, 0) and connected: outside it nothing is blocked."""
    _vrf(ground)
    ground.connect(30, NOBODY_VRF, bind=(HERE_VRF, 0), setup=Setup(device=VRF), wait=False)
    ground.until(State.SYN_SENT, 30)
    return Application()


@situation
def vrf_bind0_against_its_application(ground: Ground) -> Application:
    """30 sockets of the VRF that called bind(ip, 0) and connected to another port: blocked within."""
    _vrf(ground)
    ground.connect(30, NOBODY_VRF, OTHER_PORT, bind=(HERE_VRF, 0), setup=Setup(device=VRF), wait=False)
    ground.until(State.SYN_SENT, 30)
    return Application(local=HERE_VRF, peer=NOBODY_VRF, setup=Setup(device=VRF))


@situation
def vrf_binder(ground: Ground) -> Application:
    """An application of the VRF that calls bind(ip, 0): 20 listeners in the VRF are in its way, 20 outside are not."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF))
        ground.listen(port + 40)
    return Application(local=HERE_VRF, peer=NOBODY_VRF, binds=True, setup=Setup(device=VRF))


@situation
def vrf_listeners_against_a_binder(ground: Ground) -> Application:
    """20 listeners bound to a VRF; an application outside that calls bind(ip, 0) does not meet them."""
    _vrf(ground)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF))
    return Application(binds=True)


@situation
def vrf_accepting_for_all(ground: Ground) -> Application:
    """With tcp_l3mdev_accept all share their buckets: 20 listeners bound to the VRF block its neighbours too."""
    _vrf(ground)
    ground.sysctl("tcp_l3mdev_accept", 1)
    for port in SOME:
        ground.listen(port, setup=Setup(device=VRF))
    return Application()


@situation
def lo_of_the_application(ground: Ground) -> Application:
    """The application is bound to lo; 30 plain connections of its pool are in its way."""
    ground.pairs(30, ground.listen(8080, LOOPBACK), LOOPBACK)
    return Application(local=LOOPBACK, peer=LOOPBACK, setup=Setup(device="lo"))


def _vrf(ground: Ground) -> None:
    """A VRF with one device, whose other end swallows everything."""
    if not Path("/proc/sys/net/ipv4/tcp_l3mdev_accept").exists():
        raise Skip("no VRF on this kernel")
    try:
        ground.ip(f"link add {VRF} type vrf table 77")
    except subprocess.CalledProcessError as error:
        raise Skip("no VRF on this kernel") from error
    ground.ip(
        f"link add {IN_VRF} type veth peer name {IN_VRF}-end",
        f"link set {IN_VRF} master {VRF}",
        *(f"link set {name} up" for name in (VRF, IN_VRF, f"{IN_VRF}-end")),
        f"address add {HERE_VRF}/24 dev {IN_VRF}",
        f"neighbour add {NOBODY_VRF} lladdr 02:00:00:00:00:99 nud permanent dev {IN_VRF}",
    )

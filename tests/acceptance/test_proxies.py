"""Real proxies: portgauge names the kind of pool, its owner and what to do first, with the kernel's own numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.acceptance import parts, proxies
from tests.acceptance.parts import BACKEND_PORTS, BALANCER, LOCAL_IP, OUTSIDE
from tests.acceptance.proxies import SIDECAR_IP, TIME_WAIT, WEB_PORT, Told

UPSTREAM = (OUTSIDE, WEB_PORT)
CAPACITY = 100
WARNING = "WARNING"


@pytest.fixture(scope="module")
def with_haproxy(namespaces: None) -> Told:
    del namespaces
    return unless_missing(["haproxy", "ip"], proxies.haproxy)


@pytest.fixture(scope="module")
def with_haproxy_from_source(namespaces: None) -> Told:
    del namespaces
    return unless_missing(["haproxy", "ip"], lambda: proxies.haproxy(source=LOCAL_IP))


@pytest.fixture(scope="module")
def with_nginx_keeping_alive(namespaces: None) -> Told:
    del namespaces
    return unless_missing(["nginx", "ip"], lambda: proxies.nginx(300, slow=0, keep_alive=True))


@pytest.fixture(scope="module")
def with_nginx_closing(namespaces: None) -> Told:
    del namespaces
    return unless_missing(["nginx", "ip"], lambda: proxies.nginx(65, slow=10, keep_alive=False))


@pytest.fixture(scope="module")
def with_sidecar(namespaces: None) -> Told:
    del namespaces
    return unless_missing(["ip"], proxies.sidecar)


def unless_missing(programs: Sequence[str], story: Callable[[], Told]) -> Told:
    try:
        parts.require_programs(*programs)
    except parts.NotInstalled as missing:
        pytest.skip(str(missing))
    return story()


@pytest.fixture(params=["with_haproxy", "with_haproxy_from_source"])
def balancing(request: pytest.FixtureRequest) -> Told:
    """HAProxy with `source` sets IP_BIND_ADDRESS_NO_PORT: nothing but the name of the address differs."""
    told: Told = request.getfixturevalue(request.param)
    return told


def test_each_backend_of_haproxy_is_a_connect_pool_whatever_its_source(balancing: Told) -> None:
    for port in BACKEND_PORTS:
        (pool,) = (one for one in balancing.pools if one["peer_port"] == port)
        assert (pool["kind"], pool["capacity"]) == ("connect", CAPACITY)
        assert pool["held"] == balancing.in_kernel(LOCAL_IP, (LOCAL_IP, port)) == 75
        assert is_exact(pool)
    assert len(balancing.pools) == len(BACKEND_PORTS)
    assert balancing.explain["kind"] == "connect"
    assert balancing.explain["held"] == 75
    assert is_exact(balancing.explain)


def test_haproxy_is_told_as_the_owner_by_every_command(balancing: Told) -> None:
    assert_owner(balancing, f"haproxy pid {balancing.pid}")
    assert balancing.check["status"] == WARNING


def test_haproxys_first_fix_is_one_more_backend(balancing: Told) -> None:
    assert [one["peer_port"] for one in balancing.advise] == list(BACKEND_PORTS)
    for pool in balancing.advise:
        first = pool["options"][0]
        assert first["title"].startswith("one more backend address or port")
        assert first["gain"] == CAPACITY


def test_nginx_that_keeps_connections_alive_holds_few_ports_and_needs_no_advice(with_nginx_keeping_alive: Told) -> None:
    """300 requests went through."""
    told = with_nginx_keeping_alive
    (pool,) = told.pools

    assert (pool["kind"], pool["local_ip"], pool["peer_ip"]) == ("connect", BALANCER, OUTSIDE)
    assert pool["held"] == told.explain["held"] == told.in_kernel(BALANCER, UPSTREAM) == 1
    assert (told.check["status"], told.advise) == ("OK", [])
    assert told.explain["owner"].endswith(f"nginx pid {told.pid}")


def test_nginx_that_closes_first_holds_ports_in_time_wait(with_nginx_closing: Told) -> None:
    told = with_nginx_closing
    (pool,) = told.pools

    assert (pool["kind"], pool["capacity"]) == ("connect", CAPACITY)
    assert pool["held"] == told.explain["held"] == told.in_kernel(BALANCER, UPSTREAM) == 75
    assert pool["states"] == told.explain["states"] == {"TIME_WAIT": 65, "ESTABLISHED": 10}
    assert told.in_kernel(BALANCER, UPSTREAM, TIME_WAIT) == 65
    assert is_exact(pool)
    assert told.explain["headroom"] == 25


def test_nginx_is_told_as_the_owner_by_the_requests_it_has_in_flight(with_nginx_closing: Told) -> None:
    """A TIME_WAIT has no owner any more; the worker connects, not the master."""
    assert_owner(with_nginx_closing, f"nginx pid {with_nginx_closing.pid}")
    assert with_nginx_closing.check["status"] == WARNING


def test_the_first_fixes_of_time_wait_are_recycling_and_keep_alive(with_nginx_closing: Told) -> None:
    first, second, *_others = with_nginx_closing.advise[0]["options"]

    assert "net.ipv4.tcp_tw_reuse=1" in first["how"][-1]
    assert second["title"] == "keep connections to the backend open and use them again"
    assert (first["gain"], second["gain"]) == (65, 65)


def test_a_sidecar_that_binds_first_spends_one_pool_for_all_destinations(with_sidecar: Told) -> None:
    told = with_sidecar
    (pool,) = told.pools

    assert (pool["kind"], pool["local_ip"], pool["capacity"]) == ("bind", SIDECAR_IP, CAPACITY)
    assert pool["held"] == told.explain["held"] == told.in_kernel(SIDECAR_IP) == 75
    assert max(told.in_kernel(SIDECAR_IP, (LOCAL_IP, port)) for port in BACKEND_PORTS) == 19
    assert told.explain["kind"] == "bind"
    assert is_exact(pool)
    assert is_exact(told.explain)


def test_the_sidecar_is_told_as_the_owner(with_sidecar: Told) -> None:
    assert_owner(with_sidecar, f"pid {with_sidecar.pid}")
    assert with_sidecar.check["status"] == WARNING


def test_the_sidecars_first_fix_is_to_let_connect_choose_the_port(with_sidecar: Told) -> None:
    first = with_sidecar.advise[0]["options"][0]

    assert "IP_BIND_ADDRESS_NO_PORT" in first["title"]


def is_exact(told: dict[str, Any]) -> bool:
    return bool(told["headroom_min"] == told["headroom_max"] == told["capacity"] - told["held"])


def assert_owner(told: Told, name: str) -> None:
    """By the process that connects; its control group, before it, is this machine's business."""
    owners = [pool["owner"] for pool in [*told.pools, *told.check["pools"], told.explain, *told.advise]]
    assert [owner for owner in owners if not owner.endswith(name)] == []
    assert f", held by {owners[0]}" in told.check["message"]

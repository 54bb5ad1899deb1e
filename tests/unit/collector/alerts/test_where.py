"""Which hosts and pools are meant."""

import pytest

from collector.alerts.where import Place, Where
from shared.model import Kind
from shared.settings import InvalidValue
from tests.builders import a_pool

LB1 = Place(host="lb1.eu", role="edge", labels={"site": "eu", "rack": "7"})


@pytest.mark.parametrize(
    ("where", "is_meant"),
    [
        (Where(), True),
        (Where(host=("lb1.*",)), True),
        (Where(host=("lb2*", "lb3*")), False),
        (Where(role=("db", "edge")), True),
        (Where(role=("edge",), labels={"site": "us"}), False),
        (Where(labels={"site": "e?", "rack": "7"}), True),
        (Where(labels={"floor": "1"}), False),
    ],
)
def test_a_host_is_meant_where_every_key_matches(where: Where, *, is_meant: bool) -> None:
    assert where.accepts_place(LB1) is is_meant


@pytest.mark.parametrize(
    ("peer", "is_meant"),
    [
        ("10.0.9.21:8080", True),
        ("10.0.9.21", True),
        ("10.0.9.0/24", True),
        ("10.0.9.0/24:8080", True),
        (":8080", True),
        (":80", False),
        ("10.0.9.22", False),
        ("fd00::/8", False),
    ],
)
def test_a_backend_is_named_by_address_port_or_network(peer: str, *, is_meant: bool) -> None:
    assert Where(peer=(peer,)).accepts_pool(a_pool(8080, peer="10.0.9.21")) is is_meant


def test_brackets_hold_an_ipv6_address_with_its_port() -> None:
    pool = a_pool(80, local="fd00::1", peer="fd00::2")
    assert Where(peer=("[fd00::2]:80",)).accepts_pool(pool)
    assert Where(peer=("fd00::/16",)).accepts_pool(pool)
    assert not Where(peer=("[fd00::2]:81",)).accepts_pool(pool)


def test_a_pool_without_a_peer_is_meant_by_no_peer() -> None:
    pool = a_pool(0, kind=Kind.UDP)
    assert not Where(peer=(":80",)).accepts_pool(pool)
    assert Where(kind=("udp",), netns=("host",)).accepts_pool(pool)


@pytest.mark.parametrize("peer", ["", "backend", "10.0.9.21:http", "10.0.9.21:0", "10.0.9.21:65536", "10.0.9.0/33"])
def test_what_is_no_peer_is_refused(peer: str) -> None:
    with pytest.raises(InvalidValue, match="IP:PORT"):
        Where(peer=(peer,))


def test_a_kind_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue, match="did you mean 'connect'"):
        Where(kind=("conect",))


def test_an_empty_filter_says_so() -> None:
    assert Where().is_empty
    assert not Where(labels={"site": "eu"}).is_empty
    assert Where(kind=("udp",)).names_pools

"""Addresses and endpoints, folded as the kernel folds them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.addresses import InvalidAddress, fold, format_endpoint, format_ip, is_host_local, parse_endpoint, parse_ip


@given(st.ip_addresses(v=4))
def test_a_v4_mapped_address_is_the_ipv4_address(address: ipaddress.IPv4Address) -> None:
    assert fold(ipaddress.IPv6Address(f"::ffff:{address}").packed) == address.packed
    assert parse_ip(f"::ffff:{address}") == parse_ip(str(address)) == address.packed


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_an_endpoint_survives_the_way_through_text(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    packed = fold(address.packed)

    assert parse_endpoint(format_endpoint(packed, port)) == (packed, port)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:x", "::1:80", "fd00::1:80", "[::1]80",
     "host:80", ":80", "[10.0.0.1:80", "10.0.0.1:٣"],
)  # fmt: skip
def test_what_is_no_endpoint_is_said_so_with_an_example(text: str) -> None:
    with pytest.raises(InvalidAddress, match=r"10\.0\.0\.1:8080"):
        parse_endpoint(text)


@pytest.mark.parametrize("text", ["10.0.0", "fe80::1%eth0", "localhost", "1.2.3.4/24"])
def test_what_is_no_address_is_said_so(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_ip(text)


def test_an_address_a_pool_does_not_have_is_a_star() -> None:
    assert format_ip(b"") == "*"


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("127.8.8.8", True),
        ("::1", True),
        ("169.254.20.10", True),
        ("fe80::1", True),
        ("10.0.0.1", False),
        ("fd00::1", False),
    ],
)
def test_loopback_and_link_local_addresses_are_each_hosts_own(text: str, *, is_local: bool) -> None:
    assert is_host_local(parse_ip(text)) is is_local

"""A range is called safe only where every host of the role has told that it is."""

from hypothesis import given
from hypothesis import strategies as st

from collector.capacity.widen import Ground, Verdict, widenings
from shared.ports import PortRange, parse_ports
from shared.wire.claims import claims_on

WIDE = PortRange(1_024, 65_535)
USUAL = PortRange(32_768, 60_999)
SINCE_MS = 1_795_000_000_000


def a_ground(host: str = "lb1", *ports: int, **facts: object) -> Ground:
    plain = {
        "role": "edge",
        "netns": "host",
        "port_range": USUAL,
        "lends": 28_232,
        "claims": claims_on(ports, SINCE_MS),
    }
    return Ground(host=host, **{**plain, **facts})  # type: ignore[arg-type]


def test_a_role_whose_hosts_want_nothing_there_is_safe() -> None:
    [found] = widenings([a_ground("lb1", 22, 80), a_ground("lb2", 443)], WIDE)

    assert found.verdict is Verdict.SAFE
    assert found.sysctl == ('sysctl -w net.ipv4.ip_local_port_range="1024 65535"',)
    assert (found.capacity_before, found.capacity_after) == (28_232, 64_512)


def test_what_any_host_of_the_role_wants_is_reserved_on_all_before_the_range_is_set() -> None:
    [found] = widenings([a_ground("lb1", 22, 3_306), a_ground("lb2", 8_000, 8_001, 40_000)], WIDE)

    assert found.verdict is Verdict.RESERVE_FIRST
    assert found.in_the_way == "3306,8000-8001"
    assert found.sysctl == (
        "sysctl -w net.ipv4.ip_local_reserved_ports=3306,8000-8001,40000",
        'sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
    )
    assert found.capacity_after == 64_512 - 4


def test_one_host_that_does_not_tell_leaves_its_role_unknown() -> None:
    """Silence about listeners is not the absence of listeners."""
    [found] = widenings([a_ground("lb1"), a_ground("lb2", claims=None)], WIDE)

    assert found.verdict is Verdict.UNKNOWN
    assert found.unknown == ("lb2",)
    assert "lb2" in found.why


def test_roles_are_judged_apart() -> None:
    found = widenings([a_ground("lb1"), a_ground("db1", 5_432, role="db"), a_ground("x", role=None)], WIDE)

    assert [(one.role, one.verdict) for one in found] == [
        (None, Verdict.SAFE),
        ("db", Verdict.RESERVE_FIRST),
        ("edge", Verdict.SAFE),
    ]


def test_a_range_that_the_kernel_would_refuse_has_no_lines() -> None:
    [found] = widenings([a_ground("lb1", unprivileged=2_000)], WIDE)

    assert (found.verdict, found.sysctl) == (Verdict.REFUSED, ())
    assert "2000" in found.why


def test_the_memory_of_all_reaches_as_far_as_the_shortest() -> None:
    grounds = [a_ground("lb1"), a_ground("lb2", claims=claims_on([], SINCE_MS + 5))]

    assert widenings(grounds, WIDE)[0].remembered_since_ms == SINCE_MS + 5


def test_many_hosts_are_counted_not_named() -> None:
    [found] = widenings([a_ground(f"lb{number:02}", claims=None) for number in range(25)], WIDE)

    assert "and 15 more" in found.why
    assert len(found.unknown) == 25


def test_a_range_of_odd_size_is_counted_a_port_short_and_the_even_one_is_named() -> None:
    """As `advise` has it: each connect() leaves out one end, and trying again does not help."""
    odd, own = PortRange(1_024, 65_534), PortRange(32_768, 60_998)
    [found] = widenings([a_ground(port_range=own, lends=28_231)], odd)

    assert (found.capacity_before, found.capacity_after) == (28_230, 64_510)
    assert found.better_range == "1024-65535"
    assert widenings([a_ground()], PortRange(1_025, 65_535))[0].better_range == "1026-65535"
    assert widenings([a_ground()], WIDE)[0].better_range is None


PORTS = st.sets(st.integers(1, 65_535), max_size=30)


@given(st.lists(PORTS, min_size=1, max_size=4), st.integers(1, 65_535), st.integers(1, 65_535))
def test_no_line_lends_what_a_host_claims(claims: list[set[int]], one_end: int, other_end: int) -> None:
    wanted = PortRange(*sorted((one_end, other_end)))

    [found] = widenings([a_ground(f"lb{number}", *ports) for number, ports in enumerate(claims)], wanted)

    reserved = frozenset[int]()
    for line in found.sysctl:
        name, _, value = line.removeprefix("sysctl -w ").partition("=")
        if name == "net.ipv4.ip_local_reserved_ports":
            reserved = parse_ports(value)
    lent = set(wanted.ports) - reserved
    assert not lent & set().union(*claims)
    is_odd = len(wanted) > 1 and len(wanted) % 2 == 1
    assert found.capacity_after == max(0, len(lent) - is_odd)

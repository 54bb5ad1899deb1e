"""Advice: the options of the incident, with sums that hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.advice import Option, Situation, options
from shared.model import Kind, Reading
from shared.ports import PortRange, PortSettings, parse_port_range, parse_ports
from shared.tcp import State
from tests.builders import a_pool

DEFAULT = PortRange(32_768, 60_999)


def a_situation(
    held: int = 24_512,
    capacity: int = 28_232,
    *,
    time_wait: int = 0,
    kind: Kind = Kind.CONNECT,
    port_range: PortRange = DEFAULT,
    reserved: frozenset[int] = frozenset(),
    in_use: dict[int, str] | None = None,
    remembered: dict[int, str] | None = None,
    memory: str = "",
    local: str = "10.0.3.7",
    **sysctls: int,
) -> Situation:
    pool = a_pool(8080, local=local, peer="10.0.9.21", kind=kind)
    states = {State.ESTABLISHED: held - time_wait, State.TIME_WAIT: time_wait}
    return Situation(
        reading=Reading(pool, held, capacity, capacity - held, capacity - held, states),
        settings=PortSettings(port_range, reserved, {"tcp_timestamps": 1, **sysctls}),
        in_use=in_use or {},
        remembered=remembered or {},
        memory=memory,
    )


def titles(situation: Situation) -> list[str]:
    return [option.title for option in options(situation)]


def named(situation: Situation, word: str) -> Option:
    (option,) = [one for one in options(situation) if word in one.title]
    return option


def test_another_backend_comes_first_for_connections_that_stay() -> None:
    first = options(a_situation(), target=60_000)[0]

    assert (first.title, first.gain) == ("one more backend address or port beside 10.0.9.21:8080", 28_232)
    assert first.how[-1] == "60,000 connections ÷ 28,232 a backend = 3 backends in all"


def test_reuse_comes_first_where_time_wait_holds_the_ports() -> None:
    churning = a_situation(time_wait=12_000)

    assert [title.split()[0] for title in titles(churning)][:3] == ["let", "keep", "one"]
    assert named(churning, "keep").how == ("200 closes/s × 60 s hold 12,000 ports that reuse would free",)
    assert "sysctl -w net.ipv4.tcp_tw_reuse=1" in named(churning, "recycle").how


def test_recycling_is_not_advised_where_it_is_on_already() -> None:
    assert "recycle" not in " ".join(titles(a_situation(time_wait=12_000, tcp_tw_reuse=1)))
    assert "recycle" not in " ".join(titles(a_situation(time_wait=12_000, tcp_tw_reuse=2, local="127.0.0.1")))
    assert "recycle" in " ".join(titles(a_situation(time_wait=12_000, tcp_tw_reuse=2)))


def test_without_timestamps_recycling_needs_them_too() -> None:
    how = named(a_situation(time_wait=12_000, tcp_tw_reuse=1, tcp_timestamps=0), "recycle").how

    assert "sysctl -w net.ipv4.tcp_timestamps=1" in how


def test_binders_are_told_to_bind_late_and_not_to_add_destinations() -> None:
    binder = titles(a_situation(kind=Kind.BIND))

    assert "IP_BIND_ADDRESS_NO_PORT" in binder[0]
    assert not any("backend" in title for title in binder)


def test_widening_reserves_what_is_in_use_and_says_what_it_is() -> None:
    wider = named(a_situation(in_use={1883: "listening", 3306: "listening", 61_000: "UDP"}), "widen")

    assert wider.gain == 64_512 - 28_232 - 3
    assert wider.how == (
        "in use there now, so to be reserved first: 61000 (UDP); 1883,3306 (listening)",
        "sysctl -w net.ipv4.ip_local_reserved_ports=1883,3306,61000",
        'sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
    )


def test_widening_reserves_what_was_in_use_before_and_says_when() -> None:
    situation = a_situation(
        in_use={1883: "listening"},
        remembered={1883: "listening, last seen 2026-11-20", 3306: "listening, last seen 2026-11-20", 40_000: "UDP"},
        memory="remembered since 2026-10-01",
    )

    wider = named(situation, "widen")

    assert wider.gain == 64_512 - 28_232 - 2
    assert wider.how == (
        "in use there now, so to be reserved first: 1883 (listening)",
        "in use there before, so to be reserved too: 3306 (listening, last seen 2026-11-20)",
        "remembered since 2026-10-01",
        "sysctl -w net.ipv4.ip_local_reserved_ports=1883,3306",
        'sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
    )


@given(
    st.integers(1, 65_000),
    st.frozensets(st.integers(1, 65_535), max_size=20),
    st.frozensets(st.integers(1, 65_535), max_size=20),
    st.frozensets(st.integers(1, 65_535), max_size=20),
    st.integers(0, 40_000),
)
def test_a_wider_range_lends_what_it_promises_and_nobodys_port(
    low: int, reserved: frozenset[int], in_use: frozenset[int], remembered: frozenset[int], lowest: int
) -> None:
    now = PortRange(low, min(65_535, low + 500))
    situation = a_situation(
        port_range=now,
        reserved=reserved,
        in_use=dict.fromkeys(in_use, "listening"),
        remembered=dict.fromkeys(remembered, "listening, last seen 2026-11-20"),
        ip_unprivileged_port_start=lowest,
    )
    for option in options(situation):
        if not option.title.startswith("widen"):
            continue
        lines = {line.split("=")[0]: line.split("=")[1] for line in option.how if line.startswith("sysctl")}
        wider = parse_port_range(lines["sysctl -w net.ipv4.ip_local_port_range"].strip('"'))
        kept = parse_ports(lines.get("sysctl -w net.ipv4.ip_local_reserved_ports", "")) or reserved
        gained = set(wider.ports) - kept - (set(now.ports) - reserved)
        assert len(gained) == option.gain
        assert not gained & (in_use | remembered)
        assert len(wider) % 2 == 0
        assert wider.low >= lowest


@pytest.mark.parametrize(("low", "high", "better"), [(40_000, 40_300, "40000 40301"), (40_001, 65_535, "40002 65535")])
def test_an_odd_range_is_advised_to_be_even(low: int, high: int, better: str) -> None:
    even = named(a_situation(port_range=PortRange(low, high)), "even")

    assert f'ip_local_port_range="{better}"' in even.how[0]
    assert not any("even" in title for title in titles(a_situation()))

"""What a person reads of a plan."""

from typing import Any

import pytest

from collector.commands.planned import below, rows

WIDENING = {
    "role": "edge",
    "verdict": "reserve-first",
    "why": "ports in use there now or before are to be reserved first, in this order",
    "hosts": 12,
    "unknown": [],
    "remembered_since_ms": 1_795_000_000_000,
    "in_the_way": "3306",
    "capacity_before": 28_232,
    "capacity_after": 64_511,
    "better_range": None,
    "sysctl": ["sysctl -w net.ipv4.ip_local_reserved_ports=3306"],
}
COST = {
    "pools": 3,
    "paging": 2,
    "spent": 0,
    "refused": 0,
    "unknown": 1,
    "first_page_ms": 1_795_000_000_000,
    "first_spent_ms": None,
}


@pytest.fixture
def plan() -> dict[str, Any]:
    nothing = dict.fromkeys(("cost_what_if", "widening"))
    return nothing | {"horizon_days": 90, "items": [], "looked_at": 0, "passed_over": 0, "cost": COST, "left_out": []}


def test_the_cost_of_doing_nothing_is_one_sentence(plan: dict[str, Any]) -> None:
    assert below(plan).startswith(
        "doing nothing, 90 days ahead: of 3 pools 2 page (the first on 2026-11-18), 0 run out;"
        " 0 connections refused at each peak; nothing can be said of 1\n\n"
    )


def test_it_says_of_which_pools_it_tells_and_of_how_many_not(plan: dict[str, Any]) -> None:
    looked = "looked at 60 pools, the fullest of the last week and the fastest climbers of four"

    assert below(plan | {"looked_at": 60, "passed_over": 4_100}).endswith(
        f"{looked}; the 0 above come first (--limit); 4,100 others are less full and climb less,"
        " and were not looked at (--host, --role, --peer)"
    )


def test_a_range_of_odd_size_is_told_with_the_one_that_loses_none(plan: dict[str, Any]) -> None:
    text = below(plan | {"widening": [WIDENING | {"better_range": "1024-65535"}]})

    assert "  its size is odd, so each connect() leaves out a port: --range 1024-65535 loses none\n" in text


def test_a_role_is_told_with_the_lines_to_set(plan: dict[str, Any]) -> None:
    text = below(plan | {"widening": [WIDENING]})

    assert "role edge, 12 hosts: reserve-first." in text
    assert "28,232 ports now, 64,511 then" in text
    assert text.endswith("  sysctl -w net.ipv4.ip_local_reserved_ports=3306")


def test_lines_that_lack_a_host_are_told_to_be_unsafe(plan: dict[str, Any]) -> None:
    text = below(plan | {"widening": [WIDENING | {"unknown": ["lb7"], "verdict": "unknown"}]})

    assert "at most 64,511 then" in text
    assert text.endswith("not safe to set yet")


def test_hosts_of_which_nothing_was_read_are_named(plan: dict[str, Any]) -> None:
    assert below(plan | {"left_out": ["lb9"]}).endswith("nothing was ever read of: lb9")


def test_no_pools_make_no_rows(plan: dict[str, Any]) -> None:
    assert rows(plan) == []

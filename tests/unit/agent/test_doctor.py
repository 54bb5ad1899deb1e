"""What is hidden is told with what it hides and how to see it."""

from dataclasses import replace
from typing import Any

import pytest

from agent.doctor import WANTED, Facts, Finding, Verdict, findings, grant_all, hides_anything
from shared.model import Unreadable
from shared.ports import PortRange, PortSettings

ALL_SEEN = Facts(held=frozenset(WANTED))


def finding(facts: Facts, topic: str) -> Finding:
    (found,) = [one for one in findings(facts) if one.topic == topic]
    return found


def settings(low: int = 32_768, high: int = 60_999, *, reserved: int = 0, **integers: int) -> PortSettings:
    return PortSettings(PortRange(low, high), frozenset(range(low, low + reserved)), integers)


def test_where_all_is_seen_nothing_is_hidden_and_nothing_asked_for() -> None:
    found = findings(ALL_SEEN)

    assert not hides_anything(found)
    assert grant_all(ALL_SEEN, found) == []
    assert {one.verdict for one in found} == {Verdict.OK}


@pytest.mark.parametrize(
    ("topic", "changes", "hides", "capabilities"),
    [
        ("probes", {"probe_refused": "probing needs CAP_NET_ADMIN"}, "span", ["CAP_NET_ADMIN"]),
        ("probes", {"probe_refused": "probing needs kernel 6.3"}, "span", []),
        ("failures", {"failures_refused": "tracefs"}, "not counted", ["CAP_PERFMON", "CAP_SYS_ADMIN"]),
        ("owners", {"closed_processes": 3}, "which process", ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]),
        ("namespaces", {"unreadable": [Unreadable(2, "EPERM")]}, "pools", ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]),
        ("sockets", {"list_refused": "EPERM"}, "who holds a pool", []),
        ("cgroups", {"tells_cgroups": False}, "container", []),
        (
            "idle binds",
            {"shows_idle_binds": False, "probe_refused": "probing needs CAP_NET_ADMIN"},
            "upper bound",
            ["CAP_NET_ADMIN"],
        ),
    ],
)
def test_what_is_hidden_is_told_with_what_it_hides_and_what_it_takes(
    topic: str, changes: dict[str, Any], hides: str, capabilities: list[str]
) -> None:
    found = finding(replace(ALL_SEEN, held=frozenset(), **changes), topic)

    assert found.verdict is Verdict.HIDDEN
    assert hides in found.hides
    assert list(found.capabilities) == capabilities


def test_idle_binds_that_no_list_shows_are_no_matter_where_probes_find_them() -> None:
    """Linux before 6.8, with the rights: each port of the range is asked for."""
    found = finding(replace(ALL_SEEN, shows_idle_binds=False), "idle binds")

    assert found.verdict is Verdict.OK
    assert "probes find" in found.says


def test_what_a_container_hides_is_not_taken_for_absent() -> None:
    found = finding(replace(ALL_SEEN, in_pid_namespace=True), "namespaces")

    assert (found.verdict, "hostPID" in found.grants[0]) == (Verdict.HIDDEN, True)


def test_in_a_user_namespace_no_capability_helps() -> None:
    facts = replace(ALL_SEEN, in_user_namespace=True, unreadable=[Unreadable(1, "EPERM")])

    found = finding(facts, "namespaces")

    assert [grant for grant in found.grants if "outside this user namespace" in grant]
    assert grant_all(facts, findings(facts)) == []


def test_where_no_capability_is_missing_a_security_module_is_the_suspect() -> None:
    assert "SELinux" in finding(replace(ALL_SEEN, closed_processes=1), "owners").grants[0]


def test_hidden_processes_are_told_with_the_mount_option() -> None:
    facts = replace(
        ALL_SEEN, unreadable=[Unreadable(0, "9 processes show no namespace: /proc is mounted with hidepid")]
    )

    found = finding(facts, "namespaces")

    assert "an unknown number not readable" in found.says
    assert any("ProtectProc=default" in grant for grant in found.grants)


def test_one_line_grants_all_that_is_missing_and_keeps_what_is_held() -> None:
    facts = replace(
        ALL_SEEN, held=frozenset({"CAP_NET_ADMIN"}), failures_refused="EPERM", unreadable=[Unreadable(1, "EPERM")]
    )

    systemd, by_hand, for_good = grant_all(facts, findings(facts))

    assert systemd == "systemd unit: AmbientCapabilities=CAP_NET_ADMIN CAP_PERFMON CAP_SYS_ADMIN CAP_SYS_PTRACE"
    assert "--ambient-caps +net_admin,+perfmon,+sys_admin,+sys_ptrace" in by_hand
    assert "setcap cap_net_admin,cap_perfmon,cap_sys_admin,cap_sys_ptrace=ep /usr/bin/python3" in for_good


def test_sys_admin_includes_perfmon() -> None:
    assert "CAP_PERFMON" not in replace(ALL_SEEN, held=frozenset({"CAP_SYS_ADMIN"})).missing


@pytest.mark.parametrize(
    ("topic", "given", "remark"),
    [
        ("range", settings(40_000, 40_300), 'ip_local_port_range="40000 40299"'),
        ("range", settings(40_000, 40_000), "a single port"),
        ("range", settings(40_000, 40_299), "300 ports, where the kernel's default is 28,232"),
        ("reserved", settings(reserved=5_000), "5,000 of 28,232"),
        ("tcp_tw_reuse", settings(tcp_tw_reuse=0), "holds its port for 60 s"),
        ("tcp_timestamps", settings(tcp_tw_reuse=1, tcp_timestamps=0), "nothing is recycled"),
    ],
)
def test_settings_that_could_be_better_are_advice_and_hide_nothing(
    topic: str, given: PortSettings, remark: str
) -> None:
    facts = replace(ALL_SEEN, settings=given)

    assert finding(facts, topic).verdict is Verdict.ADVICE
    assert remark in finding(facts, topic).says
    assert not hides_anything(findings(facts))


@pytest.mark.parametrize(
    ("integers", "says"),
    [
        (
            {"tcp_tw_reuse": 1, "tcp_tw_reuse_delay": 1_000},
            "1: TIME_WAIT is recycled for every destination, after 1,000",
        ),
        ({"tcp_tw_reuse": 2}, "2: TIME_WAIT is recycled on loopback only (the default), after about 1 s"),
    ],
)
def test_recycling_is_told_as_this_kernel_does_it(integers: dict[str, int], says: str) -> None:
    assert finding(replace(ALL_SEEN, settings=settings(**integers)), "tcp_tw_reuse").says.startswith(says)

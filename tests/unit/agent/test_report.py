"""`--json` keeps its keys."""

import json

from agent.accounting.derivation import Derivation, Doubt
from agent.accounting.question import Question
from agent.report import derivation_report, pools_report
from agent.tally import Summary
from shared.model import Unreadable
from shared.ports import PortRange
from shared.tcp import State
from tests.builders import a_namespace, a_reading

LOOP = bytes([127, 0, 0, 1])


def test_pools_are_limited_a_namespace() -> None:
    summary = Summary(a_namespace(), (a_reading(20), a_reading(10)))

    report = pools_report("lb1", 5, [summary, summary], 1, [Unreadable(2, "needs CAP_SYS_ADMIN")])

    assert [pool["held"] for pool in report["pools"]] == [20, 20]
    assert [(pool["failures"], pool["owner"]) for pool in report["pools"]] == [(0, ""), (0, "")]
    assert [pool["knee"] for pool in report["pools"]] == [None, None]
    assert report["unreadable"] == [{"namespaces": 2, "why": "needs CAP_SYS_ADMIN"}]
    assert (report["host"], report["taken_at_ms"], len(report["namespaces"])) == ("lb1", 5, 2)
    json.dumps(report)


def test_an_explanation_has_at_least_the_documented_keys() -> None:
    derivation = Derivation(
        question=Question(local=LOOP, peer=LOOP, peer_port=9001),
        port_range=PortRange(40_000, 40_299),
        reserved=frozenset({40_000, 40_001}),
        blocked={40_007: "listening", 40_008: "listening"},
        states={State.ESTABLISHED: 6},
        doubts=(Doubt(5, "hidden"),),
    )

    report = derivation_report(derivation, "host", "", "haproxy.service, pid 1312")

    assert report.keys() >= {
        "kind", "protocol", "local_ip", "peer_ip", "peer_port", "range", "reserved", "blocked", "capacity", "held",
        "headroom", "headroom_min", "headroom_max", "states", "time_wait_reusable",
    }  # fmt: skip
    assert (report["reserved_ports"], report["blocked_ports"]) == ("40000-40001", {"listening": "40007-40008"})
    assert report["owner"] == "haproxy.service, pid 1312"
    assert (report["free_even_offset"], report["knee"]) == (0, True)
    assert report["doubts"] == [{"ports": 5, "why": "hidden"}]
    json.dumps(report)

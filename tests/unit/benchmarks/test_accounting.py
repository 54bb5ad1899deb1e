"""The table of exact accounts follows from what was measured, on sockets that are really there."""

import pytest

from benchmarks.accounting import Costs, measure, quickest, ratio, table, verdict
from benchmarks.fabricate import fabricated
from tests.netns import Netns


@pytest.fixture
def costs(netns: Netns) -> Costs:
    def here() -> Costs:
        with fabricated(350, ports_per_pool=150):
            return measure(350, ports_a_pool=150, rounds=1)

    netns.set_sysctl("ipv4/ip_local_port_range", "32768 32967")
    return netns.run(here)


def test_accounts_of_full_empty_and_half_empty_pools_are_measured(costs: Costs) -> None:
    told = {name: (one.held, one.probed) for name, (_cpu_s, one) in costs.accounts.items()}

    assert told == {"a pool near its end": (150, 50), "an unused pool": (0, 200), "a pool with room": (50, 150)}
    assert min(costs.dump_s, costs.read_s, costs.probe_s) > 0


def test_the_table_has_a_row_each_and_the_cost_of_its_parts(costs: Costs) -> None:
    text = table(costs._replace(dump_s=0.1, read_s=0.5, probe_s=0.014), 350)

    assert "| one bare dump | | | 100.0 | 1.00 |" in text
    assert "| every socket read one by one | | | 500.0 | 5.00 |" in text
    assert "7.0 µs a port" in text


def test_the_fullest_pool_is_held_against_the_bar(costs: Costs) -> None:
    (_cpu_s, full), (_, empty) = costs.accounts["a pool near its end"], costs.accounts["an unused pool"]
    cheap = costs._replace(dump_s=0.1, accounts={"full": (0.08, full), "empty": (0.3, empty)})

    assert ratio(cheap) == pytest.approx(0.8)
    assert verdict(cheap).startswith("- met")
    assert "MISSED" in verdict(cheap._replace(dump_s=0.08))


def test_of_several_rounds_the_quickest_counts() -> None:
    assert set(quickest({"nothing": lambda: None}, rounds=3)) == {"nothing"}

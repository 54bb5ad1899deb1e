"""Who differs from its role."""

from collector.fleet.drift import drift
from shared.ports import PortRange
from tests.builders import a_namespace, a_snapshot
from tests.collecting import Collecting


async def test_the_odd_one_of_a_role_is_named_with_both_settings(collector: Collecting) -> None:
    usual, odd = a_namespace(), a_namespace(ports=PortRange(40_000, 40_999))
    await collector.push(
        *(a_snapshot(host=f"lb{number}", namespaces=[odd if number == 3 else usual]) for number in range(4))
    )
    found = await drift(collector.db)
    assert found.keys() == {"lb3"}
    assert "ip_local_port_range" in found["lb3"]
    answer = await collector.get("/v1/drift")
    assert [item["host"] for item in answer["items"]] == ["lb3"]

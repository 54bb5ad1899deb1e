"""How values look as JSON."""

from collector.api.shapes import host_shape, pool_shape
from collector.fleet.host import Host, PoolNow, UnknownHost
from tests.builders import NOON_MS, a_reading


def test_a_host_tells_at_least_what_the_design_promises() -> None:
    shape = host_shape(Host(id=1, name="lb1", latest_received_ms=NOON_MS), NOON_MS)
    assert shape["state"] == "reporting"
    promised = {"boot_id", "last_seq", "received", "missing", "duplicates", "last_seen_ms", "skew_ms", "state"}
    assert promised <= set(shape)


def test_a_pool_has_the_agent_s_keys_and_its_host() -> None:
    shape = pool_shape(PoolNow("lb1", "edge", a_reading(), NOON_MS, is_current=True))
    assert list(shape) == [
        "host", "role", "netns", "kind", "local_ip", "peer_ip", "peer_port", "held", "capacity", "headroom_min",
        "headroom_max", "occupancy", "states", "owner", "failures", "knee", "recyclable", "taken_at_ms", "state",
        "evidence",
    ]  # fmt: skip
    assert shape["state"] == "ok"


def test_a_reading_that_may_not_be_believed_says_so() -> None:
    assert pool_shape(PoolNow("lb1", None, a_reading(), NOON_MS, is_current=False))["state"] == "unknown"


def test_an_unknown_host_is_named_without_filling_the_screen() -> None:
    assert len(str(UnknownHost("x" * 10_000))) < 400

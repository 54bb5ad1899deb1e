"""What a viewer asks a table for."""

import pytest

from collector.api.params import InvalidParameter, Params
from collector.fleet.host import Host, PoolNow
from collector.fleet.muster import muster
from collector.web.choice import POOL_KEYS, hosts_like, leaf, pool_choice
from shared.model import Kind
from tests.builders import NOON_MS, a_pool, a_reading


def test_empty_fields_narrow_nothing() -> None:
    choice = pool_choice(Params({"host": "", "role": "", "peer": "", "kind": ""}.items(), POOL_KEYS))
    assert (choice.wanted.host, choice.wanted.kind, choice.sort, choice.query) == (None, None, "occupancy", {})


def test_every_filter_narrows() -> None:
    query = {"host": "lb1", "role": "edge", "peer": "10.0.0.2:80", "kind": "bind"}
    wanted = pool_choice(Params(query.items(), POOL_KEYS)).wanted
    assert (wanted.host, wanted.role, wanted.peer_port, wanted.kind) == ("lb1", "edge", 80, Kind.BIND)


@pytest.mark.parametrize("query", [{"kind": "tcp"}, {"sort": "colour"}, {"page": "0"}, {"peer": "x"}])
def test_nonsense_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        pool_choice(Params(query.items(), POOL_KEYS))


def test_fewest_left_first() -> None:
    found = [PoolNow("lb1", None, a_reading(held, 300, pool=a_pool(held)), NOON_MS, is_current=True) for held in (5, 9)]
    choice = pool_choice(Params({"sort": "left"}.items(), POOL_KEYS))
    assert [item.reading.held for item in choice.leaf(found).rows] == [9, 5]


def test_a_page_past_the_last_is_the_last() -> None:
    assert leaf(range(101), 9) == leaf(range(101), 3)
    assert list(leaf(range(101), 3).rows) == [100]
    assert (leaf([], 1).pages, leaf([], 1).total) == (1, 0)


def test_hosts_are_chosen_by_role_and_state() -> None:
    silent = Host(id=1, name="a", labels={"role": "edge"})
    here = Host(id=2, name="b", latest_received_ms=NOON_MS)
    everyone = muster([here, silent], NOON_MS)
    assert hosts_like(everyone, None, None) == [silent, here]
    assert hosts_like(everyone, "edge", None) == [silent]
    assert hosts_like(everyone, None, "reporting") == [here]

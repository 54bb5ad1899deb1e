"""Lists remembered."""

from shared.wire.memo import Memo
from tests.builders import a_pool


def test_the_oldest_lists_go_where_there_are_too_many_pools() -> None:
    memo, pools = Memo(most_pools=25), tuple(a_pool(port) for port in range(1, 10))
    for key in "abc":
        memo.put(key, pools)
        memo.put(key, pools)
    assert [memo.get(key) is not None for key in "abc"] == [False, True, True]


def test_a_list_too_long_for_it_is_not_kept() -> None:
    memo = Memo(most_pools=3)
    memo.put("a", tuple(a_pool(port) for port in range(1, 10)))
    assert memo.get("a") is None
    memo.put("b", (a_pool(),))
    assert memo.get("b") == (a_pool(),)

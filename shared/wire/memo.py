"""Lists of pools that were checked before, by what names them. Bounded in pools, for hostile lists are long."""

from collections.abc import Hashable

from shared.model import Pool


class Memo:
    """Forgets the lists that came first. Threads may share one: an entry is a value, and losing one costs time only."""

    def __init__(self, *, most_pools: int) -> None:
        self._left = most_pools
        self._lists: dict[Hashable, tuple[Pool, ...]] = {}

    def get(self, key: Hashable) -> tuple[Pool, ...] | None:
        """The list of that name, if it is still known."""
        return self._lists.get(key)

    def put(self, key: Hashable, pools: tuple[Pool, ...]) -> None:
        """Remember it; the oldest go where there is no room."""
        if key in self._lists:
            return
        self._lists[key] = pools
        self._left -= len(pools) + 1
        while self._left < 0 and self._lists:
            oldest = next(iter(self._lists))
            self._left += len(self._lists.pop(oldest)) + 1

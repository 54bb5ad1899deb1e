"""The hosts of a fleet as this process last wrote them, so that it need not read them again for every batch.

They are good for as long as nobody else appends: whoever does moves the end of the log (collector.storage.hot).
"""

from collections.abc import Collection

from collector.fleet.host import Boot, Host

BootKey = tuple[int, str]
"""(host id, boot id)."""


class Roster:
    """Hosts by name, and of each the boot that is current. Empty after any doubt."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._boots: dict[BootKey, Boot] = {}
        self._end = -1

    def expect(self, first: int, count: int) -> None:
        """`count` ids from `first` on were claimed. Forgets everything where somebody else claimed some in between."""
        if first != self._end:
            self.forget()
        self._end = first + count

    def hosts(self, names: Collection[str]) -> dict[str, Host]:
        """Those of these names that are known."""
        return {name: self._hosts[name] for name in names if name in self._hosts}

    def boots(self, keys: Collection[BootKey]) -> dict[BootKey, Boot]:
        """Those of these boots that are known."""
        return {key: self._boots[key] for key in keys if key in self._boots}

    def keep(self, hosts: dict[str, Host], boots: dict[BootKey, Boot]) -> None:
        """As they were just written. Of boots only current ones: others may be pruned behind our back."""
        for name, host in hosts.items():
            before = self._hosts.get(name)
            if before and before.boot_id != host.boot_id:
                self._boots.pop((host.id, before.boot_id), None)
            self._hosts[name] = host
            boot = boots.get((host.id, host.boot_id))
            if boot:
                self._boots[host.id, host.boot_id] = boot

    def forget(self) -> None:
        """Nothing is known any more: a transaction failed, or another process wrote."""
        self._hosts.clear()
        self._boots.clear()
        self._end = -1

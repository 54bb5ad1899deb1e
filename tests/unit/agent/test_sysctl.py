"""Reading the kernel's settings."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import SamplingFailed
from agent.sysctl import Decisive, read_port_settings
from shared.ports import PortRange
from tests.netns import Netns


def some_sysctls(root: Path, **files: str) -> Path:
    for name, text in {"ip_local_port_range": "40000\t40299\n", "ip_local_reserved_ports": "\n", **files}.items():
        (root / name).write_text(text)
    return root


def test_the_running_kernels_settings_are_read(netns: Netns) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    netns.set_sysctl("ipv4/ip_local_reserved_ports", "39990-40009,50000")
    netns.set_sysctl("ipv4/tcp_tw_reuse", "1")

    read = netns.run(read_port_settings)

    assert read.port_range == PortRange(40_000, 40_299)
    assert len(read.reserved) == 21
    assert read.reserved_in_range == frozenset(range(40_000, 40_010))
    assert read.integers["tcp_tw_reuse"] == 1
    assert read.integers["tcp_timestamps"] == 1


def test_a_list_longer_than_a_page_is_read_to_its_end(netns: Netns) -> None:
    """The kernel fills one read() and no second; Python's own reading of files would stop at 8 KiB and not know."""
    odd = range(1, 65_535, 2)
    list_of_ports = "/proc/sys/net/ipv4/ip_local_reserved_ports"
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")

    def reserve() -> None:
        file = os.open(list_of_ports, os.O_WRONLY)
        for first in range(0, len(odd), 500):  # The kernel takes a page a write, and adds what follows to it.
            os.write(file, ",".join(map(str, odd[first : first + 500])).encode())
        os.close(file)

    netns.run(reserve)

    assert netns.run(read_port_settings).reserved == frozenset(odd)


def test_two_namespaces_have_two_ranges(new_netns: Callable[[], Netns]) -> None:
    first, second = new_netns(), new_netns()
    first.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    second.set_sysctl("ipv4/ip_local_port_range", "50000 50009")

    assert len(first.run(read_port_settings).port_range) == 300
    assert len(second.run(read_port_settings).port_range) == 10


def test_a_setting_this_kernel_does_not_have_is_absent(tmp_path: Path) -> None:
    assert read_port_settings(some_sysctls(tmp_path)).integers == {}


@pytest.mark.parametrize(
    "files", [{"ip_local_port_range": "what"}, {"ip_local_reserved_ports": "1-x"}, {"tcp_tw_reuse": "yes"}]
)
def test_settings_that_make_no_sense_are_a_failed_sample(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(SamplingFailed, match="cannot be read"):
        read_port_settings(some_sysctls(tmp_path, **files))


def test_no_proc_is_a_failed_sample(tmp_path: Path) -> None:
    with pytest.raises(SamplingFailed):
        read_port_settings(tmp_path / "none")


def test_what_decides_most_is_read_as_it_stands(netns: Netns) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    settings = Decisive()
    before = netns.run(settings.read)
    netns.set_sysctl("ipv4/ip_local_reserved_ports", "40010")

    assert before[:2] == (b"40000\t40299\n", b"\n")
    assert netns.run(settings.read)[:2] == (b"40000\t40299\n", b"40010\n")


def test_what_cannot_be_read_is_a_failure_of_sampling(tmp_path: Path) -> None:
    with pytest.raises(SamplingFailed):
        Decisive(tmp_path).read()

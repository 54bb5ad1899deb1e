"""The sysctls that decide what connect() may do, read from /proc/sys/net of the thread's network namespace."""

from pathlib import Path

from agent.errors import SamplingFailed
from agent.model import PortSettings
from shared.ports import InvalidPorts, parse_port_range, parse_ports

IPV4 = Path("/proc/sys/net/ipv4")
INTEGERS = ("tcp_tw_reuse", "tcp_tw_reuse_delay", "tcp_timestamps", "tcp_max_tw_buckets", "tcp_fin_timeout")
"""Read where the kernel has them: tcp_tw_reuse_delay came with 6.14."""


def read_port_settings(root: Path = IPV4) -> PortSettings:
    """Read them now. Raises SamplingFailed where /proc does not give them."""
    try:
        port_range = parse_port_range((root / "ip_local_port_range").read_text())
        reserved = parse_ports((root / "ip_local_reserved_ports").read_text())
        integers = {name: int((root / name).read_text()) for name in INTEGERS if (root / name).exists()}
    except (OSError, InvalidPorts, ValueError) as error:
        raise SamplingFailed(f"the sysctls under {root} cannot be read: {error}") from error
    return PortSettings(port_range, reserved, integers)

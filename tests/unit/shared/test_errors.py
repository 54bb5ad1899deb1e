"""One root for everything raised on purpose."""

from agent.netlink.errors import DumpRefused
from shared.errors import PortgaugeError
from shared.wire.errors import Malformed


def test_errors_raised_on_purpose_share_a_root_that_edges_can_catch() -> None:
    assert issubclass(DumpRefused, PortgaugeError)
    assert issubclass(Malformed, PortgaugeError)

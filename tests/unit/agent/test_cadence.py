"""When to look at the sockets."""

from agent.cadence import Reason


def test_reasons_read_as_labels_of_a_metric() -> None:
    assert all(one.isidentifier() and one.islower() for one in Reason)

"""Reading what the kernel shows in /proc/net/tcp and tcp6."""

from shared.tcp import State
from tests.oracle.proc_net import Row, parsed

LINES = {
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0": Row(
        "127.0.0.1", 8080, "0.0.0.0", 0, State.LISTEN
    ),
    "   1: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000200007F:1F90 01 0:0 00:0 0 0 0 1 1 0": Row(
        "::ffff:127.0.0.1", 40_000, "::ffff:127.0.0.2", 8080, State.ESTABLISHED
    ),
}


def test_addresses_are_read_word_by_word_in_the_order_of_the_machine() -> None:
    assert [parsed(line) for line in LINES] == list(LINES.values())

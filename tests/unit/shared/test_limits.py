"""What an agent may send fits what a collector accepts."""

from shared.limits import MAX_BODY_BYTES, MAX_OWNER_CHARS, MAX_OWNERS, MAX_POOLS
from shared.model import Kind, Namespace, Pool, Reading, Snapshot
from shared.ports import PortRange
from shared.tcp import State
from shared.wire import decode, encode


def test_a_snapshot_of_the_most_pools_fits_the_body() -> None:
    """With IPv6 addresses, every state in use, failures and the most and longest owners."""
    states = dict.fromkeys(State, 5000)
    pools = [
        Pool("host", Kind.CONNECT, bytes(15) + b"\1", number.to_bytes(16), 65_535) for number in range(1, MAX_POOLS)
    ]
    owners = [f"{number:03}".ljust(MAX_OWNER_CHARS, "x") for number in range(MAX_OWNERS)]
    snapshot = Snapshot(
        host="h" * 253,
        boot_id="b",
        seq=1,
        taken_at_ms=2**52,
        agent_version="1",
        interval_ms=1,
        namespaces=(Namespace(name="host", inode=1, port_range=PortRange(1, 65_535), reserved=0, blocked=0),),
        readings=tuple(
            Reading(pool, 65_000, 65_535, 535, 535, states, 9, owners[number % MAX_OWNERS])
            for number, pool in enumerate(pools)
        ),
    )

    body = encode(snapshot)

    assert len(body) <= MAX_BODY_BYTES
    assert decode(body) == snapshot

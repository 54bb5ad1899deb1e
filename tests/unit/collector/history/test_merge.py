"""Late snapshots join the chunk of their time."""

from hypothesis import given
from hypothesis import strategies as st

from collector.history.merge import merged, names_of
from shared.model import Kind, Snapshot
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered, snapshots_of


def told(seq: int) -> Snapshot:
    """Snapshots that differ in what they list, in texts and in namespaces."""
    pools = [a_pool(9000 + number, netns="pod" if number % 2 else "host") for number in range(seq % 4)]
    return a_snapshot(
        *(a_reading(seq + number, pool=pool) for number, pool in enumerate(pools)),
        seq=seq,
        boot_id=f"boot-{seq % 3}",
        taken_at_ms=NOON_MS + seq // 2 * 1000,
        labels={"role": f"r{seq % 2}"},
        namespaces=[a_namespace(), *([a_namespace("pod")] if pools else [])],
    )


SEQS = st.lists(st.integers(0, 30), min_size=1, unique=True)
ALL = [told(seq) for seq in range(31)]
IDS = numbered(*ALL)


@given(SEQS, SEQS)
def test_both_halves_make_the_whole_whatever_they_share(first: list[int], second: list[int]) -> None:
    made = merged(gathered(*map(told, first), ids=IDS), gathered(*map(told, second), ids=IDS))
    pools = {number: pool for pool, number in IDS.items()}
    found = {(s.boot_id, s.seq): s for s in snapshots_of(made, "lb1", pools)}
    assert len(found) == len(made.times) == len({*first, *second})
    assert (made.times[1:] >= made.times[:-1]).all()
    for seq in {*first, *second}:
        snapshot = found[f"boot-{seq % 3}", seq]
        assert {r.pool: r.held for r in snapshot.readings} == {r.pool: r.held for r in told(seq).readings}
        assert snapshot.labels == told(seq).labels
        assert {n.name for n in snapshot.namespaces} == {n.name for n in told(seq).namespaces}


def test_putting_the_same_in_again_changes_nothing() -> None:
    chunk = gathered(told(1), told(2))
    assert merged(chunk, gathered(told(2), ids=numbered(told(1), told(2)))) is chunk


def test_a_number_of_another_boot_is_another_snapshot() -> None:
    ours, theirs = a_snapshot(boot_id="a"), a_snapshot(boot_id="b")
    assert names_of(merged(gathered(ours), gathered(theirs))) == [("a", 1), ("b", 1)]


def test_owners_keep_their_names() -> None:
    one = a_snapshot(a_reading(1, pool=a_pool(kind=Kind.BIND)), seq=1)
    assert merged(gathered(one), gathered(told(3), ids={**IDS, a_pool(kind=Kind.BIND): 99})).texts[0] == ""

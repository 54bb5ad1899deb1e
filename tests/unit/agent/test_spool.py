"""The spool: durable, bounded, and honest about what it let go."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.spool import FILE, Spool, SpoolUnusable

DAY_MS = 86_400_000


def a_spool(directory: Path, boot_id: str = "boot", max_bytes: int = 10_000, max_age_ms: int = DAY_MS) -> Spool:
    return Spool(directory, boot_id=boot_id, max_bytes=max_bytes, max_age_ms=max_age_ms)


def put(spool: Spool, body: bytes = b"body", at_ms: int = 1_000) -> int:
    return spool.put(lambda _seq: body, at_ms)


def test_the_newest_goes_first_and_leaves_when_taken(tmp_path: Path) -> None:
    with a_spool(tmp_path) as spool:
        first, second = put(spool, b"old"), put(spool, b"new")

        assert (newest := spool.newest()) is not None
        assert (newest.seq, newest.body) == (second, b"new")
        spool.taken(second)
        assert (newest := spool.newest()) is not None
        assert newest.seq == first
        spool.taken(first)
        assert spool.newest() is None
        assert spool.state().bytes == 0


def test_the_body_is_made_knowing_its_sequence_number(tmp_path: Path) -> None:
    with a_spool(tmp_path) as spool:
        seq = spool.put(lambda seq: f"n{seq}".encode(), 1_000)

        assert (newest := spool.newest()) is not None
        assert newest.body == f"n{seq}".encode()


def test_a_sequence_number_is_never_given_twice(tmp_path: Path) -> None:
    with a_spool(tmp_path) as spool:
        seqs = [put(spool) for _ in range(3)]
        for seq in seqs:
            spool.taken(seq)
        stream = spool.stream_id
    with a_spool(tmp_path) as spool:
        assert put(spool) == seqs[-1] + 1
        assert spool.stream_id == stream


def test_a_new_boot_or_a_lost_spool_begins_a_new_stream(tmp_path: Path) -> None:
    """Else a collector would take the first snapshots after it for duplicates."""
    with a_spool(tmp_path / "a") as spool:
        before = spool.stream_id
    with a_spool(tmp_path / "a", boot_id="other") as spool:
        assert spool.stream_id.startswith("other.")
    with a_spool(tmp_path / "b") as spool:
        assert spool.stream_id.startswith("boot.")
        assert spool.stream_id != before


def test_past_the_bytes_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    with a_spool(tmp_path, max_bytes=1_000) as spool:
        seqs = [put(spool, bytes(300)) for _ in range(5)]

        state = spool.state()
        assert (state.snapshots, state.bytes, state.dropped) == (3, 900, 2)
        assert (newest := spool.newest()) is not None
        assert newest.seq == seqs[-1]
    with a_spool(tmp_path, max_bytes=1_000) as spool:
        assert spool.state().dropped == 2


def test_past_the_age_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    with a_spool(tmp_path, max_age_ms=1_000) as spool:
        put(spool, at_ms=1_000)
        put(spool, at_ms=1_500)
        put(spool, at_ms=2_400)

        assert (spool.state().snapshots, spool.state().dropped) == (2, 1)
        assert spool.state().oldest_at_ms == 1_500


def test_what_the_collector_refused_is_kept_but_not_sent_again(tmp_path: Path) -> None:
    with a_spool(tmp_path) as spool:
        good, bad = put(spool), put(spool)
        spool.refused(bad)

        assert (newest := spool.newest()) is not None
        assert newest.seq == good
        assert (spool.state().snapshots, spool.state().refused) == (2, 1)


def test_a_second_agent_on_one_spool_is_told_so(tmp_path: Path) -> None:
    with a_spool(tmp_path), pytest.raises(SpoolUnusable, match="locked"):
        a_spool(tmp_path)


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database" * 100)

    with a_spool(tmp_path) as spool:
        put(spool)

    assert [path.read_bytes()[:4] for path in tmp_path.glob("*.damaged-*")] == [b"this"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolUnusable, match=str(tmp_path / "file")):
        a_spool(tmp_path / "file")


def test_only_its_owner_may_look_into_it(tmp_path: Path) -> None:
    with a_spool(tmp_path / "spool"):
        assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_what_was_put_survives_kill_minus_9(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from agent.spool import Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]), boot_id='boot', max_bytes=10**6, max_age_ms=10**9)\n"
        "print([spool.put(lambda seq: b'x', 1) for _ in range(50)][-1], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"50\n"
        os.kill(process.pid, signal.SIGKILL)

    with a_spool(tmp_path) as spool:
        assert spool.state().snapshots == 50
        assert put(spool) == 51

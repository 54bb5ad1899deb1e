"""The spool: durable, bounded, and honest about what it let go."""

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.salvage import MOST_DAMAGED
from agent.spool import FILE, Spool, SpoolUnusable
from tests.small_disk import SmallDisk

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


def test_the_last_one_taken_is_forgotten_with_the_next_put_or_at_the_end(tmp_path: Path) -> None:
    """An idle host has one transaction a snapshot."""
    with a_spool(tmp_path) as spool:
        first = put(spool, b"first")
        assert spool.latest is not None
        assert spool.latest.body == b"first"

        assert spool.taken_at_once(first)

        state = spool.state()
        assert spool.newest() is None
        assert (state.snapshots, state.bytes, state.oldest_at_ms) == (0, 0, None)
        assert rows_of(tmp_path) == [first]
        second = put(spool)
        assert rows_of(tmp_path) == [second]
        assert spool.taken_at_once(second)
    assert rows_of(tmp_path) == []


def test_where_others_wait_what_is_taken_is_forgotten_at_once(tmp_path: Path) -> None:
    """A kill in between would send it twice: one such snapshot is little, a backlog is not."""
    with a_spool(tmp_path) as spool:
        first, second = put(spool), put(spool)
        assert not spool.taken_at_once(first)
        assert not spool.taken_at_once(second)
        spool.taken(second)
        assert spool.latest is None
        assert not spool.taken_at_once(first)  # Not the latest: it may have been dropped by now.
        assert rows_of(tmp_path) == [first]


def test_what_was_taken_and_not_forgotten_is_sent_again_after_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from agent.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), boot_id='boot', max_bytes=10_000, max_age_ms=10**9)\n"
        "assert spool.taken_at_once(spool.put(lambda _seq: b'body', 1_000))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60, check=False)

    with a_spool(tmp_path) as spool:
        assert spool.newest() is not None


def rows_of(directory: Path) -> list[int]:
    """What a killed agent would find: the file and its log as they are, copied."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(directory, copy, dirs_exist_ok=True)
        with closing(sqlite3.connect(Path(copy) / FILE)) as db:
            return [seq for (seq,) in db.execute("SELECT seq FROM snapshot ORDER BY seq")]


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


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds on the monotonic clock, as the test sets them."""
    seconds = [1_000.0]
    monkeypatch.setattr("agent.spool.clock.monotonic_s", lambda: seconds[0])
    return seconds


def test_past_the_age_the_oldest_go_and_are_counted(tmp_path: Path, up: list[float]) -> None:
    with a_spool(tmp_path, max_age_ms=1_000) as spool:
        for at_ms in (1_000, 1_500, 2_400):
            up[0] = 1_000 + at_ms / 1000
            put(spool, at_ms=at_ms)

        assert (spool.state().snapshots, spool.state().dropped) == (2, 1)
        assert spool.state().oldest_at_ms == 1_500


def test_a_clock_set_right_does_not_empty_the_spool(tmp_path: Path, up: list[float]) -> None:
    """A host without a battery begins in 1970, and is told the time after the first snapshots."""
    with a_spool(tmp_path, max_age_ms=DAY_MS) as spool:
        put(spool, at_ms=1_000)
        up[0] += 10
        put(spool, at_ms=1_795_348_800_000)

        assert (spool.state().snapshots, spool.state().dropped) == (2, 0)


def test_what_an_earlier_boot_left_ages_by_the_hosts_clock(tmp_path: Path, up: list[float]) -> None:
    with a_spool(tmp_path, max_age_ms=DAY_MS) as spool:
        put(spool, at_ms=DAY_MS)
        put(spool, at_ms=2 * DAY_MS)
    up[0] = 1.0
    with a_spool(tmp_path, boot_id="other", max_age_ms=DAY_MS) as spool:
        put(spool, at_ms=2 * DAY_MS + 1)

        assert (spool.state().snapshots, spool.state().dropped) == (2, 1)


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


def test_a_file_that_is_no_database_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database" * 100)

    with a_spool(tmp_path) as spool:
        put(spool)
        assert (spool.state().damaged, spool.state().salvaged) == (1, 0)

    assert [path.read_bytes()[:4] for path in tmp_path.glob("*.damaged-*")] == [b"this"]


def a_full_file(directory: Path, count: int = 30) -> dict[int, bytes]:
    """What was put into a spool that is closed now, by sequence number."""
    bodies = {}
    with a_spool(directory, max_bytes=10**6) as spool:
        for number in range(count):
            body = bytes([number]) * 5_000
            bodies[put(spool, body)] = body
    return bodies


def drained(spool: Spool) -> dict[int, bytes]:
    found = {}
    while (spooled := spool.newest()) is not None:
        found[spooled.seq] = spooled.body
        spool.taken(spooled.seq)
    return found


@given(data=st.data())
@hypothesis.settings(max_examples=12)
def test_whatever_is_damaged_what_can_be_read_goes_on_unchanged(data: st.DataObject) -> None:
    """Pages overwritten, the end cut off: never an error, never a changed body, and most of them are still there."""
    with tempfile.TemporaryDirectory() as place:
        bodies = a_full_file(Path(place))
        path = Path(place) / FILE
        size = path.stat().st_size
        at = data.draw(st.integers(8_192, size - 4_096), label="damage at")
        if data.draw(st.booleans(), label="cut off"):
            os.truncate(path, at)
        else:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(b"\xa5" * data.draw(st.integers(1, 4_096), label="bytes"))
        with a_spool(Path(place), max_bytes=10**6) as spool:
            seq = put(spool, b"later")
            found = drained(spool)

    assert found.pop(seq) == b"later"
    assert found.items() <= bodies.items()
    assert seq > max(found, default=0)


def test_one_bad_page_costs_the_snapshots_that_lie_in_it_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = a_full_file(tmp_path)
    path = tmp_path / FILE
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 4_096)

    with a_spool(tmp_path, max_bytes=10**6) as spool:
        state = spool.state()
        found = drained(spool)

    assert state.damaged == 1
    assert state.salvaged == len(found) >= len(bodies) - 10
    assert found.items() <= bodies.items()
    assert "the spool was damaged; what could be read goes on" in caplog.text


def test_damage_found_while_it_runs_is_mended_too(tmp_path: Path) -> None:
    """In a snapshot older than what SQLite holds in memory of the file."""
    with a_spool(tmp_path, max_bytes=10**8) as spool:
        first = put(spool, b"first" * 2_000)
        others = [put(spool, bytes(200_000)) for _ in range(30)]
        before = spool.stream_id
        for name in (FILE, f"{FILE}-wal"):
            with (tmp_path / name).open("r+b") as file:
                at = file.read().find(b"first" * 50)
                if at >= 0:
                    file.seek(at)
                    file.write(b"f1rst")

        assert drained(spool).keys() == set(others)
        assert put(spool) > max(others)
        assert spool.stream_id != before
        assert spool.state().damaged == 1
    assert first < min(others)


def test_few_damaged_files_are_kept(tmp_path: Path) -> None:
    for _ in range(MOST_DAMAGED + 3):
        (tmp_path / FILE).write_bytes(b"this is not a database" * 100)
        with a_spool(tmp_path) as spool:
            put(spool)
        (tmp_path / FILE).unlink()

    assert len(list(tmp_path.glob("*.damaged-*"))) == MOST_DAMAGED


def test_a_log_torn_by_a_power_cut_keeps_every_snapshot_that_was_put(tmp_path: Path) -> None:
    """What SQLite had synced when `put` returned is what a power cut leaves, and any part of what came after it."""
    log, sizes = tmp_path / f"{FILE}-wal", []
    with a_spool(tmp_path, max_bytes=10**6) as spool:
        for number in range(8):
            put(spool, bytes([number]) * 3_000)
            sizes.append(log.stat().st_size)
        main, whole = (tmp_path / FILE).read_bytes(), log.read_bytes()
    for cut in sorted({*sizes, *range(sizes[0], sizes[-1], 1_777)}):
        place = tmp_path / str(cut)
        place.mkdir()
        (place / FILE).write_bytes(main)
        (place / f"{FILE}-wal").write_bytes(whole[:cut] + os.urandom(500))
        with a_spool(place, max_bytes=10**6) as spool:
            assert spool.state().snapshots >= sum(size <= cut for size in sizes)
            assert spool.state().damaged == 0


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


def test_a_full_disk_is_lived_with_in_memory_and_left_when_there_is_room(
    small_disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    @small_disk.run
    def _story() -> None:
        place = small_disk.place
        with caplog.at_level(logging.INFO), a_spool(place, max_bytes=10**6) as spool:
            on_disk = [put(spool, b"d" * 5_000) for _ in range(3)]
            stream = spool.stream_id
            filler = fill(place)
            in_memory = [put(spool, bytes([number]) * 4_000) for number in range(20)]

            state = spool.state()
            assert state.snapshots == 23
            assert state.in_memory > 0
            assert "full" in state.trouble
            assert spool.stream_id != stream  # Else numbers that only memory knows could be given twice.
            for seq in reversed(in_memory):
                assert (newest := spool.newest()) is not None
                assert newest.seq == seq
                if seq % 2:
                    spool.taken(seq)
                else:
                    spool.refused(seq)
            for seq in reversed(on_disk):
                assert (newest := spool.newest()) is not None
                assert newest.seq == seq
                spool.taken(seq)
            assert spool.newest() is None

            filler.unlink()
            last = put(spool, b"last")
            state = spool.state()
            assert (state.in_memory, state.trouble) == (0, "")
            assert (newest := spool.newest()) is not None
            assert newest.seq == last
        assert caplog.text.count("the spool's disk refuses; snapshots wait in memory") == 1
        assert caplog.text.count("the spool is on disk again") == 1
        with a_spool(place, max_bytes=10**6) as spool:
            assert drained(spool) == {last: b"last"}
            assert put(spool) > last


def test_memory_is_bounded_and_what_it_drops_is_counted_for_ever(
    small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    @small_disk.run
    def _story() -> None:
        place = small_disk.place
        monkeypatch.setattr("agent.spool.MEMORY_BYTES", 100_000)
        with a_spool(place, max_bytes=10**6) as spool:
            filler = fill(place)
            for _ in range(50):
                put(spool, bytes(20_000))
            state = spool.state()
            assert state.dropped > 0
            assert state.snapshots == 50 - state.dropped
            filler.unlink()
            put(spool)
        with a_spool(place, max_bytes=10**6) as spool:
            assert spool.state().dropped == state.dropped


def test_a_disk_full_at_the_start_is_no_reason_not_to_start(small_disk: SmallDisk) -> None:
    @small_disk.run
    def _story() -> None:
        place = small_disk.place
        filler = fill(place)
        with a_spool(place / "spool") as spool:
            seq = put(spool, b"1" * 5_000)
            assert spool.state().in_memory == 1
            filler.unlink()
            put(spool)
            assert spool.state().in_memory == 0
            assert seq in drained(spool)


def fill(disk: Path) -> Path:
    """Write until nothing more fits; unlink what is answered to make room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4_096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler

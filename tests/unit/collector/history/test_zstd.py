"""zstd frames."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from collector.history.chunk import CorruptChunk
from collector.history.zstd import deflate, inflate


def test_bytes_come_back_in_every_thread() -> None:
    bodies = [bytes([number]) * 100_000 for number in range(50)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda body: inflate(deflate(body, 1), len(body)), bodies)) == bodies


def test_more_than_allowed_is_refused_and_so_is_what_is_no_frame() -> None:
    for broken in (deflate(bytes(101), 1), deflate(bytes(90), 1)[:-1], b"", b"no frame"):
        with pytest.raises(CorruptChunk):
            inflate(broken, 100)

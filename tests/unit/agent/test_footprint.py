"""What the process takes, as the kernel says it."""

import os
from pathlib import Path

from agent.footprint import footprint


def test_the_footprint_is_that_of_this_process(tmp_path: Path) -> None:
    before = footprint()
    with (tmp_path / "file").open("w"):
        after = footprint()

    assert 5_000_000 < before.rss_bytes < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert after.open_files == before.open_files + 1
    assert after.cpu_s >= before.cpu_s > 0

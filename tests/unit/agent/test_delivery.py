"""What each answer of a collector means."""

import pytest

from agent.delivery import Fate, fate, retry_after_s


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Fate.TAKEN), (202, Fate.TAKEN), (204, Fate.TAKEN),
        (401, Fate.NOT_ALLOWED), (403, Fate.NOT_ALLOWED), (415, Fate.NOT_ALLOWED),
        (408, Fate.LATER), (429, Fate.LATER), (500, Fate.LATER), (502, Fate.LATER), (503, Fate.LATER),
        (404, Fate.LATER), (405, Fate.LATER), (301, Fate.LATER),
        (400, Fate.REFUSED), (413, Fate.REFUSED), (422, Fate.REFUSED),
    ],
)  # fmt: skip
def test_a_status_decides_the_snapshots_fate(status: int, expected: Fate) -> None:
    assert fate(status) is expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("999999", 3600.0), (None, None), ("soon", None), ("-1", None), ("٣", None)],
)
def test_retry_after_is_read_where_it_is_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds

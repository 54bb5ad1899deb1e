"""The figures of watching come from real failures and real calls."""

import pytest

from agent.perf.watcher import FailureWatcher
from benchmarks import watching


def test_a_call_takes_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ROUNDS", 2)

    assert 10 < watching.ns_a_call() < 1_000_000


@pytest.mark.usefixtures("namespaces", "watching")
def test_failures_are_read_and_the_cost_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "FAILURES", 50)
    watcher = FailureWatcher.start()

    try:
        assert 0 < watching.us_a_failure(watcher) < 100_000
    finally:
        watcher.close()

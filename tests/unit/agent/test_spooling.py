"""What travels of a sample, or of its failure."""

from pathlib import Path

from agent.config import AgentConfig
from agent.host import HostSample
from agent.spooling import Mark, snapshot_of
from agent.tally import Summary
from shared.limits import MAX_INTERVAL_MS
from shared.model import Unreadable
from tests.builders import NOON_MS, a_namespace, a_reading

CONFIG = AgentConfig(collector="http://127.0.0.1:1", token_file=Path("token"), host="lb1", role="edge", interval_s=0.5)
MARK = Mark("boot-1", 7, NOON_MS, interval_s=0.5, uptime_ms=86_400_000)


def test_a_sample_travels_with_what_sets_it_apart() -> None:
    seen = HostSample((Summary(a_namespace(), (a_reading(),)),), "host", (Unreadable(1, "no right"),))

    snapshot = snapshot_of(CONFIG, seen, MARK)

    assert (snapshot.host, snapshot.boot_id, snapshot.seq, snapshot.taken_at_ms) == ("lb1", "boot-1", 7, NOON_MS)
    assert (snapshot.labels, snapshot.interval_ms) == ({"role": "edge"}, 500)
    assert snapshot.readings == (a_reading(),)
    assert snapshot.unreadable == (Unreadable(1, "no right"),)
    assert snapshot.uptime_ms == 86_400_000
    assert snapshot.failure is None


def test_a_sample_that_failed_travels_with_its_reason_and_no_readings() -> None:
    snapshot = snapshot_of(CONFIG, "sock_diag refused", MARK)

    assert snapshot.failure == "sock_diag refused"
    assert (snapshot.namespaces, snapshot.readings) == ((), ())


def test_how_often_the_agent_reports_is_as_often_as_it_can() -> None:
    """Silence is measured against it: an agent whose CPU share is too small is slow, not silent."""
    assert snapshot_of(CONFIG, "", MARK._replace(interval_s=17.3)).interval_ms == 17_300
    assert snapshot_of(CONFIG, "", MARK._replace(interval_s=1e9)).interval_ms == MAX_INTERVAL_MS

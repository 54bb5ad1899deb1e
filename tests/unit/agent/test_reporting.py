from pathlib import Path

from agent.config import AgentConfig
from agent.host import HostSample
from agent.reporting import Mark, snapshot_of
from agent.tally import Summary
from shared.model import Unreadable
from tests.builders import NOON_MS, a_namespace, a_reading

CONFIG = AgentConfig(collector="http://127.0.0.1:1", token_file=Path("token"), host="lb1", role="edge", interval_s=0.5)
MARK = Mark("boot-1", 7, NOON_MS)


def test_a_sample_travels_with_what_sets_it_apart() -> None:
    seen = HostSample((Summary(a_namespace(), (a_reading(),)),), "host", (Unreadable(1, "no right"),))

    snapshot = snapshot_of(CONFIG, seen, MARK)

    assert (snapshot.host, snapshot.boot_id, snapshot.seq, snapshot.taken_at_ms) == ("lb1", "boot-1", 7, NOON_MS)
    assert (snapshot.labels, snapshot.interval_ms) == ({"role": "edge"}, 500)
    assert snapshot.readings == (a_reading(),)
    assert snapshot.unreadable == (Unreadable(1, "no right"),)
    assert snapshot.failure is None


def test_a_sample_that_failed_travels_with_its_reason_and_no_readings() -> None:
    snapshot = snapshot_of(CONFIG, "sock_diag refused", MARK)

    assert snapshot.failure == "sock_diag refused"
    assert (snapshot.namespaces, snapshot.readings) == ((), ())

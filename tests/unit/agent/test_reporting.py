import asyncio
from dataclasses import replace
from pathlib import Path

from agent.cadence import Reason
from agent.config import AgentConfig
from agent.failures import Ledger
from agent.host import HostSample
from agent.reporting import Done, Mark, count, sampling, snapshot_of
from agent.spool import Spool
from agent.tallies import Samplings
from agent.tally import Summary
from shared.model import Unreadable
from tests.builders import NOON_MS, a_namespace, a_reading

CONFIG = AgentConfig(collector="http://127.0.0.1:1", token_file=Path("token"), host="lb1", role="edge", interval_s=0.5)
CONFIG_OWN = replace(CONFIG, netns=("own",))
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


def test_samples_are_counted_by_reason_and_what_is_told_is_of_the_latest_that_succeeded() -> None:
    seen = HostSample((Summary(a_namespace(), (a_reading(),)),), "host")
    samplings = Samplings()

    count(samplings, Reason.FIRST, Done(seen, at_s=5.0, cpu_s=0.03))
    count(samplings, Reason.DUE, Done(None, at_s=15.0, cpu_s=0.01))

    assert samplings.samples == {Reason.FIRST: 1, Reason.DUE: 1}
    assert samplings.failed == 1
    assert (samplings.last_at_s, samplings.last_cpu_s) == (5.0, 0.03)
    assert (samplings.pools, samplings.namespaces) == (1, 1)
    assert samplings.cpu_s == 0.04
    assert (samplings.readings, samplings.spaces) == ((a_reading(),), (a_namespace(),))


async def test_the_last_sample_is_spooled_before_the_loop_has_ended(tmp_path: Path) -> None:
    """Whoever is told to stop tells what it sees then; the loop takes no more."""
    samplings, wake = Samplings(), asyncio.Event()
    with Spool(tmp_path, boot_id="boot", max_bytes=2**20, max_age_ms=1_000_000) as spool:
        async with sampling(CONFIG_OWN, spool, wake, Ledger(), samplings) as finish:
            await asyncio.wait_for(wake.wait(), 30)
            wake.clear()
            await finish()

            assert wake.is_set()
            assert samplings.samples[Reason.LAST] == 1
            assert spool.state().snapshots == samplings.samples.total()

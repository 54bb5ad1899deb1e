"""What lies behind an alert. A whole notice is in test_evaluation.py."""

from dataclasses import replace

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from collector.alerts.subject import Subject, of_pool
from collector.investigation import Investigation
from collector.web.links import pool_link
from shared.model import Evidence, Pool
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


def a_case(collector: Collecting, pool: Pool | None = None, host: str = "lb1") -> Case:
    subject = of_pool(host, pool) if pool else Subject(Scope.HOST, host)
    return Case(rule="hot", severity="page", subject=subject, seen=Observation(), seen_ms=collector.clock())


async def test_the_last_minutes_give_rate_and_fixes(collector: Collecting) -> None:
    for seq, held in enumerate((100, 200)):
        collector.clock.turn(10)
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
    async with collector.db.reading() as connection:
        known = await Investigation("")(connection, a_case(collector, a_pool()))
    assert (known.rate_per_s, known.link) == (10.0, "")
    assert known.changed == ("ESTABLISHED rose from 100 to 200 in 10 s",)
    assert known.fixes


async def test_of_what_nobody_reported_nothing_is_known_but_where_to_look(collector: Collecting) -> None:
    ask = Investigation("https://portgauge.example/")
    async with collector.db.reading() as connection:
        unheard = await ask(connection, a_case(collector, a_pool(), "lb 9"))
        no_pool = await ask(connection, a_case(collector))
    assert (unheard.rate_per_s, unheard.link) == (None, f"https://portgauge.example{pool_link('lb 9', a_pool())}")
    assert (no_pool.fixes, no_pool.link) == ((), "https://portgauge.example/host?host=lb1")
    assert ask.link(None) == "https://portgauge.example/"


async def test_what_was_logged_goes_to_its_pool_and_what_is_of_no_pool_to_its_host(collector: Collecting) -> None:
    ours = Evidence(a_pool(), "haproxy", "no free ports", 12, collector.clock())
    nobodys = Evidence(None, "nginx", "(99: Cannot assign requested address)", 1, collector.clock())
    await collector.push(replace(a_snapshot(a_reading(100)), evidence=(ours, nobodys)))
    async with collector.db.reading() as connection:
        of_pool_ = await Investigation("")(connection, a_case(collector, a_pool()))
        of_host = await Investigation("")(connection, a_case(collector))

    assert (of_pool_.logged, of_host.logged) == ((ours,), (nobodys,))

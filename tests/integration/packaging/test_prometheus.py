"""The example for Prometheus, judged by promtool; every series it names is one that we tell."""

import re
import shutil
import subprocess
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.exposition import text_of
from agent.metrics import Facts, families
from agent.model import Footprint
from agent.tallies import Pushes, Samplings, SpoolState
from collector.metrics import Metrics
from tests.booted import ROOT
from tests.builders import NOON_MS, a_namespace, a_reading

EXAMPLE = ROOT / "packaging" / "prometheus"
PAGED = """
rule_files: [{rules}]
tests:
  - interval: 15s
    input_series:
      - {{series: 'portgauge_agent_pool_headroom_ports{{kind="bind",local_ip="10.0.0.1"}}', values: '{headroom}x20'}}
      - {{series: 'portgauge_agent_pool_capacity_ports{{kind="bind",local_ip="10.0.0.1"}}', values: '300x20'}}
    promql_expr_test:
      - expr: count(ALERTS{{alertname="PortgaugePoolNearlySpent",alertstate="firing"}})
        eval_time: 3m
        exp_samples: {expected}
"""
PROMTOOL = shutil.which("promtool")
judging = pytest.mark.skipif(not PROMTOOL, reason="no promtool here: apt-get install prometheus")


def judged(kind: str, name: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROMTOOL), "check", kind, str(EXAMPLE / name)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told() -> AbstractSet[str]:
    """Names of series of an agent that measures and of a collector with hosts and notices."""
    sampled = Samplings(last_at_s=100.0, back_by_s=110.0, readings=(a_reading(290),), spaces=(a_namespace(),))
    facts = Facts(
        version="1.2.3",
        interval_s=10.0,
        now_s=104.0,
        now_ms=NOON_MS,
        samplings=sampled,
        pushes=Pushes(),
        spool=SpoolState(0, 0, 0, 0),
        footprint=Footprint(30_000_000, 1.5, 12),
    )
    metrics = Metrics("1.2.3")
    metrics.show_room(total=4096, free=0, set_aside=0)
    metrics.show_stored({"silent": 1}, {("page", "firing"): 1}, {"log": 1})
    expositions = text_of(families(facts)), metrics.exposition().decode()
    return {
        sample.name
        for text in expositions
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@judging
def test_promtool_takes_the_configuration_with_its_rules() -> None:
    done = judged("config", "scrape.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@judging
def test_promtool_takes_every_rule() -> None:
    done = judged("rules", "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = (EXAMPLE / "rules.yml").read_text().count("- alert:")
    assert f"{alerts} rules found" in done.stdout


def test_every_series_that_a_rule_names_is_told() -> None:
    named = set(re.findall(r"\bportgauge_(?:agent|collector)_\w+", (EXAMPLE / "rules.yml").read_text()))
    assert named
    assert named - told() == set()


@judging
@pytest.mark.parametrize(("headroom", "expected"), [(30, "[{labels: '{}', value: 1}]"), (31, "[]")])
def test_a_pool_with_a_tenth_of_its_ports_left_pages(headroom: int, expected: str, tmp_path: Path) -> None:
    story = tmp_path / "story.yml"
    story.write_text(PAGED.format(rules=EXAMPLE / "rules.yml", headroom=headroom, expected=expected))
    done = subprocess.run([str(PROMTOOL), "test", "rules", str(story)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

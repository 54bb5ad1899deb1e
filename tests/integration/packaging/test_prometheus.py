"""The example for Prometheus, judged by promtool; every series it names is one that we tell."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests import prometheus
from tests.agent_process import until
from tests.booted import ROOT
from tests.builders import a_reading, a_snapshot
from tests.collector_process import a_token, migrated, serving
from tests.exposed import told
from tests.promtool import judging, promtool
from tests.secret import a_secret

EXAMPLE = ROOT / "packaging" / "prometheus"
PAGED = """
rule_files: [{rules}]
tests:
  - interval: 15s
    input_series:
      - {{series: 'portgauge_{headroom_of}_ports{{kind="bind",local_ip="10.0.0.1"}}', values: '{headroom}x20'}}
      - {{series: 'portgauge_{capacity_of}_ports{{kind="bind",local_ip="10.0.0.1"}}', values: '300x20'}}
    promql_expr_test:
      - expr: count(ALERTS{{alertname="{alert}",alertstate="firing"}})
        eval_time: 3m
        exp_samples: {expected}
"""
FIRES = """
rule_files: [{rules}]
tests:
  - interval: 1m
    input_series: [{{series: 'portgauge_collector_{series}', values: '{value}x20'}}]
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{{alertstate="firing"}})
        eval_time: 15m
        exp_samples: [{{labels: '{{alertname="{alert}"}}', value: 1}}]
"""


def played(story: str, tmp_path: Path) -> None:
    """A story to our rules comes out as it says."""
    file = tmp_path / "story.yml"
    file.write_text(story)
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


@judging
def test_promtool_takes_the_configuration_with_its_rules(tmp_path: Path) -> None:
    """In a directory with the token that the page tells to make."""
    for name in ("scrape.yml", "rules.yml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    (tmp_path / "portgauge.token").write_text("a made-up token")
    done = promtool("check", "config", str(tmp_path / "scrape.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@judging
@pytest.mark.skipif(prometheus.why_none() is not None, reason=str(prometheus.why_none()))
def test_a_prometheus_that_keeps_nothing_sends_the_fleets_pools_on(tmp_path: Path) -> None:
    """By the example: a real collector, the one that forwards, and another that takes remote write."""
    database = migrated(tmp_path)
    pushing, reading = (a_token(database, "--scope", scope) for scope in ("push", "read"))
    a_secret(tmp_path / "portgauge.token", reading)
    nothing = tmp_path / "nothing.yml"
    nothing.write_text("scrape_configs: []\n")
    taking = prometheus.prometheus(tmp_path / "kept", nothing, "--web.enable-remote-write-receiver")
    with serving(database) as collector, taking as receiver:
        assert collector.push(a_snapshot(a_reading(290), interval_ms=600_000), pushing) == 202
        example = yaml.safe_load((EXAMPLE / "forward.yml").read_text())
        example["global"]["scrape_interval"] = "1s"
        example["remote_write"][0]["url"] = f"http://{receiver}/api/v1/write"
        [job] = example["scrape_configs"]
        job["static_configs"] = [{"targets": [collector.url.removeprefix("http://")]}]
        config = tmp_path / "forward.yml"
        config.write_text(yaml.safe_dump(example))
        with prometheus.prometheus(tmp_path / "sent", config, keeps=False):
            until(lambda: bool(prometheus.answer(receiver, "portgauge_collector_pool_held_ports")), 90)
        [held] = prometheus.answer(receiver, 'portgauge_collector_pool_held_ports{host="lb1"}')
        assert float(held["value"][1]) == 290
        assert collector.stop(within_s=30) == 0


@judging
def test_promtool_takes_every_rule() -> None:
    done = promtool("check", "rules", str(EXAMPLE / "rules.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = (EXAMPLE / "rules.yml").read_text().count("- alert:")
    assert f"{alerts} rules found" in done.stdout


def test_every_series_that_a_rule_names_is_told() -> None:
    named = set(re.findall(r"\bportgauge_(?:agent|collector)_\w+", (EXAMPLE / "rules.yml").read_text()))
    assert named
    assert named - told() == set()


@judging
@pytest.mark.parametrize(("headroom", "expected"), [(30, "[{labels: '{}', value: 1}]"), (31, "[]")])
@pytest.mark.parametrize(
    ("alert", "headroom_of"),
    [
        ("PortgaugePoolNearlySpent", "agent_pool_headroom"),
        ("PortgaugeFleetPoolNearlySpent", "collector_pool_headroom_min"),
    ],
)
def test_a_pool_with_a_tenth_of_its_ports_left_pages(
    alert: str, headroom_of: str, headroom: int, expected: str, tmp_path: Path
) -> None:
    story = PAGED.format(
        rules=EXAMPLE / "rules.yml",
        alert=alert,
        headroom_of=headroom_of,
        capacity_of=headroom_of.partition("_")[0] + "_pool_capacity",
        headroom=headroom,
        expected=expected,
    )
    played(story, tmp_path)


@judging
@pytest.mark.parametrize(
    ("series", "value", "alert"),
    [
        ('pool_until_spent_seconds{host="lb1",local_ip="10.0.0.1"}', 899, "PortgaugeFleetPoolSpentSoon"),
        ("other_pools_occupancy_max_ratio", 0.85, "PortgaugeOtherPoolsFilling"),
        ("pools_told", 0, "PortgaugePoolsNotTold"),
        ("pools_age_seconds", 301, "PortgaugePoolsOld"),
        ("unreadable_hosts", 1, "PortgaugeHostsUnreadable"),
        ('hosts{state="blind"}', 1, "PortgaugeHostsBlind"),
    ],
)
def test_what_the_collector_tells_of_the_fleet_raises_its_alert_and_no_other(
    series: str, value: float, alert: str, tmp_path: Path
) -> None:
    told = FIRES.format(rules=EXAMPLE / "rules.yml", series=series, value=value, alert=alert)
    played(told, tmp_path)

"""The dashboard for Grafana: its form, and its expressions read by a real Prometheus that scrapes a real collector."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import grafana, prometheus
from tests.agent_process import AnAgent, until
from tests.alertmanager import free_port
from tests.booted import ROOT
from tests.builders import a_reading, a_snapshot
from tests.collector_process import a_token, migrated, serving
from tests.exposed import told
from tests.prometheus import answer
from tests.secret import a_secret

EXAMPLE = ROOT / "packaging" / "prometheus"
BOARD = json.loads((EXAMPLE / "dashboard.json").read_text())
PANELS: list[Any] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
IN_GRAFANA = {"$host": ".*", "$role": ".*", "$instance": ".*", "$__rate_interval": "1m"}
WIDTH = 24


def expressions() -> dict[str, str]:
    """Each, with what Grafana puts in place of its variables, by panel (two may have one title) and letter."""
    found = {_where(panel, one): one["expr"] for panel in PANELS for one in panel["targets"]}
    return {where: re.sub(r"\$\w+", lambda name: IN_GRAFANA[name[0]], text) for where, text in found.items()}


def _where(panel: Any, target: Any) -> str:
    titles = [one["title"] for one in PANELS]
    number = f" {panel['id']}" if titles.count(panel["title"]) > 1 else ""
    return f"{panel['title']}{number} {target['refId']}"


def test_it_has_the_form_that_grafana_reads() -> None:
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= BOARD.keys()
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in PANELS:
        assert panel["type"] in {"stat", "table", "timeseries"}
        assert {"title", "description", "fieldConfig", "options", "gridPos"} <= panel.keys(), panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters) > 0


def test_grafanas_own_types_know_every_key_and_take_every_value() -> None:
    assert grafana.faults(BOARD) == []


@pytest.mark.parametrize(
    ("mistake", "fault"),
    [
        ({"titel": "x"}, "dashboard.panels[1].titel is not known"),
        ({"gridPos": {"x": "left", "y": 0, "w": 1, "h": 1}}, "dashboard.panels[1].grid_pos.x: 'left' is no"),
        ({"options": {"colorMode": "rainbow"}}, "rainbow"),
    ],
)
def test_a_mistake_in_it_would_be_found(mistake: dict[str, Any], fault: str) -> None:
    """Types that swallowed everything would prove nothing."""
    panels = [BOARD["panels"][0], BOARD["panels"][1] | mistake, *BOARD["panels"][2:]]
    try:
        found = grafana.faults(BOARD | {"panels": panels})
    except ValueError as error:
        found = [str(error)]
    assert any(fault in one for one in found), found


def test_whoever_imports_it_chooses_the_prometheus() -> None:
    """A source of our own naming would be nobody's."""
    assert "datasource" in {one["name"] for one in BOARD["templating"]["list"] if one["type"] == "datasource"}
    places = [*PANELS, *(target for panel in PANELS for target in panel["targets"])]
    assert {json.dumps(one["datasource"]) for one in places} == {'{"type": "prometheus", "uid": "${datasource}"}'}


def test_every_variable_that_is_used_is_there() -> None:
    used = set(re.findall(r"\$(\w+)", " ".join(target["expr"] for panel in PANELS for target in panel["targets"])))
    assert used - {"__rate_interval"} <= {one["name"] for one in BOARD["templating"]["list"]}


def test_no_panel_lies_over_another() -> None:
    def places(panel: Any) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= WIDTH
        return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}

    assert not any(places(one) & places(other) for one, other in combinations(BOARD["panels"], 2))


def test_every_series_that_a_panel_names_is_told() -> None:
    named = set(re.findall(r"\bportgauge_(?:agent|collector)_\w+", json.dumps(BOARD)))
    assert named
    assert named - told() == set()


@pytest.mark.skipif(prometheus.why_none() is not None, reason=str(prometheus.why_none()))
def test_a_real_prometheus_reads_every_expression_and_has_the_pools(tmp_path: Path) -> None:
    """By the example's own configuration: the token it tells to make lets it see pools."""
    database = migrated(tmp_path)
    pushing, reading = (a_token(database, "--scope", scope) for scope in ("push", "read"))
    a_secret(tmp_path / "portgauge.token", reading)
    (tmp_path / "rules.yml").write_text((EXAMPLE / "rules.yml").read_text())
    with serving(database) as collector:
        assert collector.push(a_snapshot(a_reading(290), interval_ms=600_000), pushing) == 202
        with prometheus.prometheus(tmp_path / "tsdb", scraping_of(collector.url, tmp_path)) as address:
            held = 'portgauge_collector_pool_held_ports{host="lb1"}'
            until(lambda: bool(answer(address, held)))
            assert [float(one["value"][1]) for one in answer(address, held)] == [290]
            asked = {where: len(answer(address, text)) for where, text in expressions().items()}
        assert collector.stop(within_s=30) == 0
    assert asked["The fullest pools A"] == asked["Fewest ports left A"] == asked["Pools are told A"] == 1


@pytest.mark.timeout(300)
@pytest.mark.skipif(prometheus.why_none() is not None, reason=str(prometheus.why_none()))
def test_every_panel_shows_something_of_a_real_collector_and_a_real_agent(tmp_path: Path) -> None:
    """A pool that is spent, a host that is blind, somebody refused, and an agent that reports: each has its series."""
    database = migrated(tmp_path)
    pushing, reading = (a_token(database, "--scope", scope) for scope in ("push", "read"))
    a_secret(tmp_path / "portgauge.token", reading)
    (tmp_path / "rules.yml").write_text((EXAMPLE / "rules.yml").read_text())
    agent, place = AnAgent(tmp_path / "agent", {}), f"127.0.0.1:{free_port()}"
    agent.token.write_text(pushing)
    try:
        with serving(database) as collector:
            agent.configure(collector=collector.url, listen=place, interval_s=1.0)
            agent.start()
            assert collector.push(a_snapshot(a_reading(300), interval_ms=600_000), pushing) == 202
            blind = a_snapshot(host="lb2", namespaces=[], failure="no netlink", interval_ms=600_000)
            assert collector.push(blind, pushing) == 202
            assert collector.push(a_snapshot(), "nobody's") == 401
            config = scraping_of(collector.url, tmp_path, place)
            with prometheus.prometheus(tmp_path / "tsdb", config) as address:
                mute = set(expressions())

                def all_show() -> bool:
                    for where in sorted(mute):
                        if answer(address, expressions()[where]):
                            mute.discard(where)
                    return not mute

                try:
                    until(all_show, 120)
                except AssertionError:
                    pytest.fail(f"nothing in {sorted(mute)}")
            assert collector.stop(within_s=30) == 0
    finally:
        agent.end()


def scraping_of(url: str, place: Path, agent: str = "") -> Path:
    """The example's configuration for this collector, and an agent if there is one, asked each second."""
    config = yaml.safe_load((EXAMPLE / "scrape.yml").read_text())
    config["global"]["scrape_interval"] = "1s"
    targets = {"portgauge-collector": url.removeprefix("http://"), "portgauge-agent": agent}
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    config["scrape_configs"] = [job for job in config["scrape_configs"] if targets[job["job_name"]]]
    file = place / "scrape.yml"
    file.write_text(yaml.safe_dump(config))
    return file

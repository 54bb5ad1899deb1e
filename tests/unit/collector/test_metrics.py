"""The collector's own series."""

from prometheus_client.parser import text_string_to_metric_families

from collector.metrics import Metrics


def series(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_every_series_of_ours_carries_our_name() -> None:
    names = {name for name, _ in series(Metrics("1.0"))}
    assert all(name.startswith(("portgauge_collector_", "process_")) for name in names)


def test_two_collectors_in_one_process_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.count_snapshot("accepted", 400)
    assert ("portgauge_collector_snapshots_total", ("accepted",)) not in series(second)


def test_a_made_up_method_does_not_make_a_series() -> None:
    """Labels a stranger can choose would fill the memory of whoever scrapes."""
    metrics = Metrics()
    for method in ("BREW", "SHAKE"):
        metrics.count_request("other", method, 405)
    assert series(metrics)["portgauge_collector_http_requests_total", ("other", "other", "405")] == 2


def test_what_is_gone_from_the_database_is_gone_from_the_series() -> None:
    metrics = Metrics()
    metrics.show_stored({"silent": 3}, {("page", "firing"): 1}, {"webhook": 2})
    metrics.show_stored({"reporting": 3}, {}, {})
    shown = series(metrics)
    assert shown["portgauge_collector_hosts", ("reporting",)] == 3
    assert ("portgauge_collector_hosts", ("silent",)) not in shown

"""What the collector tells Prometheus of itself. Every label has a bounded set of values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]  # A second series for every counter, of no use to anybody who has process_start_time_seconds.

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class _Given(Collector):
    """Families that were made already."""

    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        """These."""
        return self.families


class Metrics:
    """One registry of its own, so that two collectors in one process (tests) do not meet."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry()
        self._uncounted: dict[tuple[Counter, tuple[str, ...]], int] = defaultdict(int)
        """What every push counts up, told to the counters when somebody looks: they take a lock each time."""
        ProcessCollector(registry=self.registry)
        Info("portgauge_collector_build", "What is running.", registry=self.registry).info({"version": version})
        self.commit_seconds = Histogram(
            "portgauge_collector_commit_seconds",
            "Time to make one batch of snapshots durable.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )
        self.commit_snapshots = Histogram(
            "portgauge_collector_commit_snapshots",
            "Snapshots that shared one transaction.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=self.registry,
        )
        self._snapshots = self._counter("snapshots", "Snapshots kept, by whether they were new.", "result")
        self._bytes = self._counter("snapshot_bytes", "Bytes of snapshots kept.")
        self._requests = self._counter("http_requests", "Requests answered.", "route", "method", "status")
        self.transitions = self._counter("alert_transitions", "Changes of an alert's state.", "severity", "after")
        self.deliveries = self._counter("notice_attempts", "Attempts to tell people.", "channel", "result")
        self._settled = self._counter("history_snapshots", "Snapshots taken out of the hot log, by outcome.", "result")
        self._chunk_bytes = self._counter("history_chunk_bytes", "Bytes of raw chunks written.")
        self._database_bytes = self._gauge("database_bytes", "Bytes of the database, by whether they hold data.", "use")
        self._set_aside = self._gauge("chunks_set_aside", "Chunks that could not be read, kept for who repairs them.")
        self._set_aside_bytes = self._gauge("chunks_set_aside_bytes", "Bytes of the chunks that are set aside.")
        self._hosts = self._gauge("hosts", "Hosts that ever reported, by how they are now.", "state")
        self._alerts = self._gauge("alerts", "Alerts by where they stand.", "severity", "state")
        self._owed = self._gauge("notices_owed", "Notices a channel has not taken yet.", "channel")

    def count_snapshot(self, result: str, size: int) -> None:
        """One more snapshot kept: `accepted` or `duplicate`."""
        self._uncounted[self._snapshots, (result,)] += 1
        self._uncounted[self._bytes, ()] += size

    def count_request(self, route: str, method: str, status: int) -> None:
        """One more request answered. `route` is a template such as /v1/hosts/{host}, never a path as sent."""
        self._uncounted[self._requests, (route, method if method in _METHODS else "other", str(status))] += 1

    def count_settled(self, *, settled: int, late: int, unreadable: int, size: int) -> None:
        """Snapshots that became chunks of `size` bytes, that were older than history, that could not be read."""
        for result, count in (("settled", settled), ("late", late), ("unreadable", unreadable)):
            self._settled.labels(result).inc(count)
        self._chunk_bytes.inc(size)

    def show_room(self, *, total: int, free: int, set_aside: tuple[int, int]) -> None:
        """Set what the database takes, and of that what is free to be written again; what is set aside, bytes too."""
        for use, size in (("used", total - free), ("free", free)):
            self._database_bytes.labels(use).set(size)
        for gauge, value in zip((self._set_aside, self._set_aside_bytes), set_aside, strict=True):
            gauge.set(value)

    def show_stored(
        self,
        hosts: Mapping[str, int],
        alerts: Mapping[tuple[str, str], int],
        owed: Mapping[str, int],
    ) -> None:
        """Set what is counted in the database; what is no longer there disappears."""
        for gauge in (self._hosts, self._alerts, self._owed):
            gauge.clear()
        for state, count in hosts.items():
            self._hosts.labels(state).set(count)
        for labels, count in alerts.items():
            self._alerts.labels(*labels).set(count)
        for channel, count in owed.items():
            self._owed.labels(channel).set(count)

    def exposition(self, more: Iterable[Metric] = ()) -> bytes:
        """All series in the text format, CONTENT_TYPE; and these, which are made anew each time."""
        for (counter, labels), amount in self._uncounted.items():
            (counter.labels(*labels) if labels else counter).inc(amount)
        self._uncounted.clear()
        return generate_latest(self.registry) + generate_latest(_Given(more))

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"portgauge_collector_{name}", documentation, labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"portgauge_collector_{name}", documentation, labels, registry=self.registry)

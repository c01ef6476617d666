"""An endpoint for Prometheus, and for whoever asks whether the daemon lives: /metrics, /livez, /readyz. Off by default.

It shows the daemon's latest snapshot. It holds no event, no client and no user: sources and reasons are its only labels.
"""

import contextlib
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingestor.errors import UnavailableError
from ingestor.model.finding import Severity
from ingestor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger("tokentail")

ALIVE_SECONDS: Final = 60.0
"""A daemon tells how it is every second; one that has not for so long hangs."""
_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
"""Copied for each answer: wsgiref writes the length of the body into the list that it is given."""
_GAUGES: Final[dict[str, tuple[str, Callable[[Snapshot], float]]]] = {
    "tokentail_lag_seconds": ("Age of the oldest byte that is unread or unacknowledged.", lambda f: f.lag_seconds),
    "tokentail_unread_bytes": ("Bytes of the logs that wait to be read.", lambda f: f.unread_bytes),
    "tokentail_pending_bytes": ("Bytes that were read and are not yet durable.", lambda f: f.pending_bytes),
    "tokentail_checkpoint_timestamp_seconds": ("When the last checkpoint was made.", lambda f: f.checkpoint_at or 0.0),
    "tokentail_snapshot_timestamp_seconds": ("When these figures were read off.", lambda f: f.time),
    "tokentail_start_timestamp_seconds": ("When the daemon started.", lambda f: f.started_at),
    "tokentail_store_up": ("0 while the store refuses.", lambda f: float(not f.store_problem)),
    "tokentail_events_missing": (
        "Events that were acknowledged and are not in the store, when it was compared last.",
        lambda f: f.events_missing,
    ),
    "tokentail_events_uncounted": (
        "Events that are in the store and were not counted, when it was compared last.",
        lambda f: f.events_uncounted,
    ),
    "tokentail_recent_gaps": (
        "Gaps that were found in the last day: bytes of logs that are in no file any more.",
        lambda f: f.recent_gaps,
    ),
    "tokentail_logs_unreadable": ("Logs that cannot be read now.", lambda f: len(f.log_problems)),
}
_COUNTERS: Final[dict[str, tuple[str, Callable[[Snapshot], float]]]] = {
    "tokentail_store_requests": ("Requests of the store that were answered.", lambda f: f.store_requests),
    "tokentail_store_retries": ("Requests of the store that had to be repeated.", lambda f: f.store_retries),
    "tokentail_store_request_seconds": ("What the answered requests took.", lambda f: f.store_seconds),
    "tokentail_store_restarts": ("How often another process of InfluxDB answered.", lambda f: f.store_restarts),
    "tokentail_events_brought_back": (
        "Events that InfluxDB had acknowledged and lost, and that were sent again.",
        lambda f: f.events_brought_back,
    ),
    "tokentail_detector_failures": (
        "Times that a detector could not observe some events, since the start.",
        lambda f: f.detector_failures,
    ),
}
_FATES: Final = ("stored", "ignored", "expired")


class Watch(Collector):
    """Holds the latest snapshot, and tells it as metrics."""

    def __init__(self) -> None:
        self.figures: Snapshot | None = None

    def __call__(self, figures: Snapshot) -> None:
        """Take a snapshot: one of the daemon's watchers."""
        self.figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the snapshot."""
        figures = self.figures
        if figures is None:
            return
        for name, (text, value) in _GAUGES.items():
            yield GaugeMetricFamily(name, text, value=value(figures))
        for name, (text, value) in _COUNTERS.items():
            yield CounterMetricFamily(name, text, value=value(figures))
        lines = CounterMetricFamily("tokentail_lines", "Lines read, by what became of them.", labels=["source", "fate"])
        rejected = CounterMetricFamily("tokentail_rejected_lines", "Lines rejected.", labels=["source", "reason"])
        clients = GaugeMetricFamily("tokentail_clients", "Clients with a series of their own.", labels=["source"])
        budget = GaugeMetricFamily(
            "tokentail_budget_exhausted", "1 when a budget of tags is used up.", labels=["source"]
        )
        for name, source in figures.sources.items():
            account = source.account
            for fate in _FATES:
                lines.add_metric([name, fate], getattr(account, fate))
            lines.add_metric([name, "rejected"], account.total_rejected)
            for reason, count in account.rejected.items():
                rejected.add_metric([name, reason.value], count)
            clients.add_metric([name], source.clients)
            budget.add_metric([name], float(source.overflowing))
        left_out = CounterMetricFamily(
            "tokentail_left_out", "Secrets masked, addresses that are none.", labels=["kind"]
        )
        for kind, count in figures.counts.items():
            left_out.add_metric([kind], count)
        findings = CounterMetricFamily(
            "tokentail_findings", "Incidents that came to a severity since the start.", labels=["severity"]
        )
        for severity in Severity:
            findings.add_metric([severity], figures.findings.get(severity, 0))
        yield from (lines, rejected, clients, budget, left_out, findings)

    def not_alive(self) -> str:
        """Say why the pipeline counts as hung; empty when it has moved lately."""
        if self.figures is None:
            return "it has not moved yet"
        seconds = time.time() - self.figures.time
        return "" if seconds < ALIVE_SECONDS else f"it has not moved for {seconds:.0f} s"

    def not_ready(self) -> str:
        """Say why it is not ready; empty when it moves, and the store takes what it sends. Not in the store's own words."""
        if (reason := self.not_alive()) or self.figures is None or not self.figures.store_problem:
            return reason
        seconds = self.figures.time - (self.figures.store_failing_since or self.figures.time)
        return f"the store has refused for {seconds:.0f} s; `tokentail status` says why"


class _Quiet(WSGIRequestHandler):
    timeout = 10  # a client that says nothing must not hold a thread

    def get_stderr(self) -> StringIO:
        """Return where wsgiref writes tracebacks, of clients that do not take their answer; ours are logged in ``answer``."""
        return StringIO()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Log nothing: a scrape is no news, and its path is a stranger's text."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away or kept silent: its traceback would stand in the journal."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Server6(_Server):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def endpoint(listen: str) -> Iterator[Watch]:
    """Serve at ``address:port`` while the block runs; give the watcher to the daemon.

    Raises UnavailableError when the address cannot be listened at.
    """
    host, _, port = listen.rpartition(":")
    watch = Watch()
    registry = CollectorRegistry()
    registry.register(watch)
    kind = _Server6 if ":" in host else _Server
    try:
        server = make_server(host.strip("[]"), int(port), _application(watch, registry), kind, _Quiet)
    except OSError as error:
        raise UnavailableError(
            f"The endpoint for Prometheus cannot listen: {error.strerror}",
            where=listen,
            advice="Is the port taken? telemetry.listen names it; empty is none.",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="prometheus", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        server.shutdown()
        server.server_close()


def _application(
    watch: Watch, registry: CollectorRegistry
) -> "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]":
    metrics = make_wsgi_app(registry)

    def answer(environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "")
        if environment.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            start_response("405 Method Not Allowed", [*_TEXT])
            return [b""]
        if path == "/metrics":
            try:
                told: Iterable[bytes] = metrics(environment, start_response)
            except Exception as error:  # noqa: BLE001 - a defect of ours, of which a scrape must not die silently
                log.error("The metrics cannot be told, which is a defect of tokentail: %s", type(error).__name__)
                start_response("500 Internal Server Error", [*_TEXT])
                return [b""]
            return told
        checks = {"/livez": watch.not_alive, "/readyz": watch.not_ready}
        if path not in checks:
            start_response("404 Not Found", [*_TEXT])
            return [b"/metrics, /livez, /readyz\n"]
        reason = checks[path]()
        start_response("503 Service Unavailable" if reason else "200 OK", [*_TEXT])
        return [f"no: {reason}\n".encode() if reason else b"ok\n"]

    return answer

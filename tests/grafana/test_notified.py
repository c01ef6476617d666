"""From points to a notification: Grafana evaluates our groups by itself and posts to a webhook, with client, figure and links."""

import contextlib
import http.server
import itertools
import queue
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from ingestor.config.settings import AlertSettings, StoreSettings
from ingestor.provision.desired import NOTIFICATIONS
from ingestor.provision.rule_files import Case
from ingestor.provision.rules import rule_groups
from tests.grafana.cases import lines_of, write_case
from tests.support.grafana_servers import TICK_SECONDS, GrafanaServer
from tests.support.influx import write_lines
from tests.support.servers import InfluxServer
from tests.support.webserver import serving

HOSTILE = "<!channel> {{ .Labels }} *x* http://evil.example/`a`"


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """Serve on loopback; yield the URL, and what is posted to it, as it comes."""
    posted: queue.Queue[Any] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response_only(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        yield f"{url}/hook", posted


@contextlib.contextmanager
def applied(grafana: GrafanaServer, influxdb: InfluxServer, case: Case, hook: str) -> Iterator[StoreSettings]:
    """Give Grafana all groups, evaluated as often as it allows, and the data of a case; take the groups away again."""
    store = influxdb.make()
    write_case(store, case)
    folder, point = grafana.new_folder(), f"hook of {store.database}"
    settings = {"url": hook, "httpMethod": "POST"}
    grafana.ask("POST", "/api/v1/provisioning/contact-points", {"name": point, "type": "webhook", "settings": settings})
    told = {**NOTIFICATIONS["page"], "receiver": point, "group_wait": "1s", "group_interval": "1s"}
    source = grafana.new_data_source(store)
    # The scheduler knows rules by uid and version: one that comes back before it has looked would be the old one for ever.
    uids = (f"{store.database}-{number}" for number in itertools.count())
    try:
        for group in rule_groups(AlertSettings(), datasource=source, folder=folder):
            own = {"notification_settings": told, "for": "0s"}
            rules = [{**rule, **own, "uid": next(uids)} for rule in group.rules]
            for rule in rules:
                grafana.ask("POST", "/api/v1/provisioning/alert-rules", rule)
            body = {"title": group.name, "folderUid": folder, "interval": TICK_SECONDS, "rules": rules}
            grafana.ask("PUT", f"/api/v1/provisioning/folder/{folder}/rule-groups/{group.name}", body)
        yield store
    finally:
        grafana.request("DELETE", f"/api/folders/{folder}?forceDeleteRules=true")


@pytest.mark.slow
def test_an_alert_is_notified(grafana: GrafanaServer, influxdb: InfluxServer) -> None:
    points = (
        {"event": "token.pkce_failed", "client_id": "app", "realm": "acme", "count": 12, "ago": "1m..9m"},
        {"event": "token.pkce_failed", "client_id": HOSTILE, "count": 10, "ago": "2m"},
        {"event": "token.validation_failed", "client_id": "shop", "realm": "acme", "count": 60, "ago": "10s..50m"},
        {"own": {"uptime_seconds": 100.0}, "host": "silent", "count": 60, "ago": "4m..20m"},
        {"own": {"uptime_seconds": 100.0, "lag_seconds": 0.5}, "host": "well", "count": 90, "ago": "-20s..20m"},
    )
    expected = {
        ("tokentail-pkce-failed", "app"),
        ("tokentail-pkce-failed", HOSTILE),
        ("tokentail-heartbeat", ""),
        ("tokentail-failure-rate", ""),
        ("tokentail-failure-rate-client", "shop"),
    }
    found: dict[tuple[str, str], dict[str, Any]] = {}
    texts = ""
    with webhook() as (url, posted), applied(grafana, influxdb, Case("", points), url):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and found.keys() < expected:
            with contextlib.suppress(queue.Empty):
                notification = posted.get(timeout=1)
                texts += notification["title"] + notification["message"]
                for alert in notification["alerts"]:
                    assert alert["status"] == "firing"
                    link = parse_qs(urlsplit(alert["annotations"].get("client_url", "")).query)
                    found[alert["labels"]["rule"], link.get("var-client", [""])[0]] = alert
    assert found.keys() == expected
    pkce = found["tokentail-pkce-failed", "app"]
    assert pkce["labels"]["severity"] == "ticket"
    assert pkce["annotations"]["summary"] == "12 PKCE failures of client app (realm acme) in 15 minutes"
    assert pkce["values"]["failures"] == 12
    assert pkce["panelURL"].startswith(f"{grafana.url}/d/tokentail-security?")
    assert parse_qs(urlsplit(pkce["panelURL"]).query)["viewPanel"] == ["6"]
    assert pkce["annotations"]["runbook_url"] == f"{grafana.url}/d/tokentail-runbooks/token-runbooks?viewPanel=9"
    assert found["tokentail-heartbeat", ""]["labels"]["host"] == "silent"
    assert found["tokentail-heartbeat", ""]["labels"]["severity"] == "page"
    assert "60 of 60" in found["tokentail-failure-rate-client", "shop"]["annotations"]["description"]
    assert "!channel" in texts
    for markup in ("<!channel>", "*x*", "evil.example/`", "http://evil"):
        assert markup not in texts


@pytest.mark.slow
def test_a_finding_is_told_of_once_and_a_second_one_is_not_hidden(
    grafana: GrafanaServer, influxdb: InfluxServer
) -> None:
    """The first one began seven hours before it came to its severity, and grows."""
    now = time.time()
    first = {
        "raised": {"events": 37, "first_seen": int((now - 7 * 3600) * 1000)},
        "severity": "high",
        "title": "Secrets of a client are tried",
        "pattern": "secret_guessing",
        "finding": "secret_guessing-1",
        "client_id": HOSTILE,
        "realm": "acme",
        "addresses": "203.0.113.7, 203.0.113.8 and 5 more",
        "ago": "1m",
    }
    told: list[dict[str, Any]] = []

    def listen(posted: "queue.Queue[Any]", seconds: float, fewest: int) -> list[dict[str, Any]]:
        """Return the alerts that fire, of each notification by itself."""
        deadline, found = time.monotonic() + seconds, list[dict[str, Any]]()
        while time.monotonic() < deadline and (not fewest or len(found) < fewest):
            with contextlib.suppress(queue.Empty):
                notification = posted.get(timeout=1)
                alerts = [alert for alert in notification["alerts"] if alert["labels"]["rule"] != "tokentail-heartbeat"]
                found += [alert for alert in alerts if alert["status"] == "firing"]
        return found

    with webhook() as (url, posted), applied(grafana, influxdb, Case("", (first,)), url) as store:
        (alert,) = listen(posted, 90, 1)
        for line in lines_of(Case("", ({**first, "raised": {**first["raised"], "events": 99}},)), now):  # type: ignore[dict-item]
            write_lines(store, line[0], line[1].encode())
        assert listen(posted, 4 * TICK_SECONDS, 0) == [], "it only grows"
        write_case(store, Case("", ({**first, "finding": "secret_guessing-2", "ago": "1s"},)))
        told = listen(posted, 90, 1)
    assert [each["labels"]["finding"] for each in told] == ["secret_guessing-2"]
    labels, annotations = alert["labels"], alert["annotations"]
    assert (labels["severity"], labels["pattern"], labels["finding"]) == (
        "page",
        "secret_guessing",
        "secret_guessing-1",
    )
    assert annotations["summary"].startswith("High: Secrets of a client are tried at client \u2039!channel\u203a ")
    assert annotations["summary"].endswith("(realm acme), 37 events from 203.0.113.7, 203.0.113.8 and 5 more")
    assert "`tokentail events --finding secret_guessing-1`" in annotations["description"]
    assert "First, open the finding" in annotations["description"]
    link = urlsplit(annotations["finding_url"])
    assert link.path == "/d/tokentail-security/token-security"
    asked = parse_qs(link.query, strict_parsing=True)
    assert (asked["viewPanel"], asked["var-client"], asked["var-realm"]) == (["9"], [HOSTILE], ["acme"])
    assert asked["from"] == [str(first["raised"]["first_seen"])]  # type: ignore[index]

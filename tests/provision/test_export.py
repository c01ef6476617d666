"""A Grafana that is set up from exported files alone is the one that `apply` makes."""

import time
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.credentials import SECRET_VARIABLES, reference
from ingestor.config.settings import ContactSettings, GrafanaSettings, Settings
from ingestor.provision.desired import desired
from ingestor.provision.export import write
from ingestor.provision.normalize import as_set
from ingestor.provision.resources import Kind, Resource, by_uid, rules_of
from tests.support.grafana_servers import NO_GRAFANA, grafana_home, new_grafana
from tests.support.servers import InfluxServer, private_file

WEBHOOK_SECRET = "canary-secret-of-$1-webhook"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_grafana_reads_the_files(influxdb: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = grafana_home()
    if home is None:
        pytest.skip(NO_GRAFANA)
    secret = private_file(tmp_path / "secret", WEBHOOK_SECRET)
    page = ContactSettings("webhook", url="http://127.0.0.1:9/hook", secret_file=secret)
    grafana = GrafanaSettings(page=page, folder="OAuth $HOME")
    settings = Settings(store=influxdb.make(), grafana=grafana, time_zone="Europe/Berlin")
    things = desired(settings)
    provisioning = tmp_path / "grafana/provisioning"
    written = write(desired(settings, reference), provisioning, provisioning)
    assert not any(WEBHOOK_SECRET.encode() in path.read_bytes() for path in written.files)

    values = {"TOKENTAIL_GRAFANA_PAGE_SECRET": WEBHOOK_SECRET}
    if settings.store.token_file is not None:
        values["TOKENTAIL_STORE_TOKEN"] = settings.store.token_file.read_text().strip()
    assert set(written.variables) == values.keys() <= set(SECRET_VARIABLES)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    server = new_grafana(home, tmp_path / "grafana")
    try:
        health = server.ask("GET", "/api/datasources/uid/tokentail/health")
        assert health["status"] == "OK"
        (folder,) = server.ask("GET", "/api/folders")
        assert folder["title"] == "OAuth $HOME"
        boards = of(Kind.DASHBOARD, things)
        deadline = time.monotonic() + 30
        while len(server.ask("GET", "/api/search?type=dash-db")) < len(boards) and time.monotonic() < deadline:
            time.sleep(0.1)  # Grafana reads dashboards once it answers
        for thing in boards:
            body = server.ask("GET", f"/api/dashboards/uid/{thing.uid}")["dashboard"]
            assert {key: value for key, value in body.items() if key not in {"id", "version"}} == thing.body
        rules = by_uid(server.ask("GET", "/api/v1/provisioning/alert-rules"))
        wanted = by_uid(
            {**rule, "folderUID": folder["uid"]} for group in of(Kind.RULE_GROUP, things) for rule in rules_of(group)
        )
        assert as_set(rules, wanted) == wanted
        points = server.ask("GET", "/api/v1/provisioning/contact-points")
        (point,) = [point for point in points if point["uid"] == "tokentail-page"]
        (ours,) = of(Kind.CONTACT_POINT, things)
        assert {key: point["settings"][key] for key in ours.body["settings"]} == ours.body["settings"]
    finally:
        server.stop()


def of(kind: Kind, things: list[Resource]) -> list[Any]:
    return [thing for thing in things if thing.kind is kind]

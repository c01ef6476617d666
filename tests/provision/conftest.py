"""A Grafana with nothing of ours in it, and settings that provision it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import GrafanaSettings, RetentionSettings, Settings
from tests.support.grafana_servers import GrafanaServer
from tests.support.servers import InfluxServer, private_file


@pytest.fixture
def settings(grafana: GrafanaServer, influxdb: InfluxServer, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a database of its own; what they make is gone afterwards. Tests that use it run one after another."""
    token = private_file(tmp_path / "grafana-token", grafana.token)
    found = Settings(
        store=influxdb.make(), retention=RetentionSettings(), grafana=GrafanaSettings(url=grafana.url, token_file=token)
    )
    _clear(grafana)
    yield found
    _clear(grafana)


def _clear(grafana: GrafanaServer) -> None:
    """Remove what has our uids, without the code under test."""
    grafana.request("DELETE", "/api/folders/tokentail?forceDeleteRules=true")
    grafana.request("DELETE", "/api/dashboards/uid/tokentail-overview")
    grafana.request("DELETE", "/api/datasources/uid/tokentail")
    for point in grafana.ask("GET", "/api/v1/provisioning/contact-points"):
        if point["name"].startswith("tokentail "):
            grafana.request("DELETE", f"/api/v1/provisioning/contact-points/{point['uid']}")


def with_grafana(settings: Settings, **changes: object) -> Settings:
    """Return settings with another [grafana]."""
    return dataclasses.replace(settings, grafana=dataclasses.replace(settings.grafana, **changes))  # type: ignore[arg-type]

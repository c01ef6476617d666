"""A Grafana with nothing of ours in it, and settings that provision it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.provision.apply import apply
from ingestor.provision.session import open_grafana
from ingestor.settings import GrafanaSettings, RetentionSettings, Settings
from tests.grafana_servers import GrafanaServer
from tests.servers import InfluxServer, private_file


@pytest.fixture
def settings(grafana: GrafanaServer, influxdb: InfluxServer, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a database of its own; what they make is gone afterwards. Tests that use it run one after another."""
    token = private_file(tmp_path / "grafana-token", grafana.token)
    found = Settings(
        store=influxdb.make(), retention=RetentionSettings(), grafana=GrafanaSettings(url=grafana.url, token_file=token)
    )
    _clear(found)
    yield found
    _clear(found)


def _clear(settings: Settings) -> None:
    with open_grafana(settings) as session:
        apply(session.grafana, session.removal())


def with_grafana(settings: Settings, **changes: object) -> Settings:
    """Return settings with another [grafana]."""
    return dataclasses.replace(settings, grafana=dataclasses.replace(settings.grafana, **changes))  # type: ignore[arg-type]

from collections.abc import Iterator

import pytest

from ingestor.stores import backoff
from ingestor.stores.influxdb.recovery import restarts
from tests.support.servers import InfluxServer, influxd1, influxd2, new_influxdb1, new_influxdb2


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back soon: the clock of the world is not that of the sender's threads."""
    monkeypatch.setattr(backoff, "FIRST_BACKOFF_SECONDS", 0.02)
    monkeypatch.setattr(backoff, "LONGEST_BACKOFF_SECONDS", 0.05)
    monkeypatch.setattr(restarts, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(restarts, "BETWEEN_SECONDS", 0.02)


@pytest.fixture(params=[1, 2], ids=["influxdb1", "influxdb2"], scope="module")
def mortal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that a test may kill."""
    if (influxd1 if request.param == 1 else influxd2)() is None:
        pytest.skip(f"no InfluxDB {request.param}.x here: see tests/support/servers.py")
    directory = tmp_path_factory.mktemp("mortal")
    server = new_influxdb1(directory) if request.param == 1 else new_influxdb2(directory)
    yield server
    server.stop()

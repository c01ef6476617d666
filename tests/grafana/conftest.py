import pytest

from tests.grafana.stored import Stored, fill
from tests.support.servers import InfluxServer


@pytest.fixture(scope="session", params=[1, 2], ids=["influxdb1", "influxdb2"])
def stored(request: pytest.FixtureRequest) -> Stored:
    """Events and counters in a real InfluxDB of each major version."""
    found: InfluxServer | str = request.getfixturevalue(f"influxdb{request.param}_or_why")
    if isinstance(found, str):
        pytest.skip(found)
    return fill(found)

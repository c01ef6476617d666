import contextlib
import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import ingestor.detectors
from ingestor.detectors import registry
from ingestor.detectors.contract import Detector
from ingestor.detectors.registry import detectors
from ingestor.state import database
from tests.support import detectors as test_detectors
from tests.support.grafana_servers import GrafanaServer, grafanas
from tests.support.selection import longest_first, no_process, parted
from tests.support.servers import InfluxServer, first_user, influxd1, new_influxdb1, servers
from tests.support.world import World

# How long an example takes says how busy the machine is, not whether the code is right: pytest's timeout bounds a test.
settings.register_profile("everyone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The gate judges a change by the same examples every time; everybody else goes on searching.
settings.register_profile("ci", settings.get_profile("everyone"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "everyone")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out what is slow, and all that start a process or a server: see docs/testing.md",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        items[:], others = parted(items)
        config.hook.pytest_deselected(items=others)
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist: `--dist loadfile` gives out files in this order
        items[:] = longest_first(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have no garbage looked for among the tests: ten thousand come, and stay until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _fast(request: pytest.FixtureRequest) -> Iterator[None]:
    with no_process() if request.config.getoption("--fast") else contextlib.nullcontext():
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_power_failure() -> Iterator[None]:
    """Have SQLite not wait for the disk, which is most of what a commit takes: a killed process loses nothing by it.

    Processes of their own do wait, as the program does.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "PRAGMAS", (*database.PRAGMAS, "synchronous=OFF"))
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


@pytest.fixture
def detector_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Detector]]:
    """The detector of the tests, as if it were tokentail's only one."""
    monkeypatch.setattr(registry, "_NO_DETECTORS", {*registry._NO_DETECTORS, *detectors()})
    monkeypatch.setattr(ingestor.detectors, "__path__", [*ingestor.detectors.__path__, *test_detectors.__path__])
    detectors.cache_clear()
    kind = detectors()["repeated_reuse"]
    yield type(kind.new(kind.options()))
    detectors.cache_clear()


@pytest.fixture(scope="session")
def influxdb1_or_why(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer | str]:
    yield from servers(1, tmp_path_factory.mktemp("influxdb1"))


@pytest.fixture(scope="session")
def influxdb2_or_why(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer | str]:
    yield from servers(2, tmp_path_factory.mktemp("influxdb2"))


@pytest.fixture(params=[1, 2], ids=["influxdb1", "influxdb2"])
def influxdb(request: pytest.FixtureRequest) -> InfluxServer:
    """A real InfluxDB of each major version; a test skips for one that is not here."""
    found: InfluxServer | str = request.getfixturevalue(f"influxdb{request.param}_or_why")
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def influxdb1_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """An InfluxDB 1.x that asks who one is; its settings are the administrator's."""
    if influxd1() is None:
        pytest.skip("no InfluxDB 1.x here: see tests/support/servers.py")
    directory = tmp_path_factory.mktemp("influxdb1-with-users")
    server = new_influxdb1(directory, users=True)
    server.store = first_user(server, directory)
    yield server
    server.stop()


@pytest.fixture
def influxdb2(influxdb2_or_why: InfluxServer | str) -> InfluxServer:
    """A real InfluxDB 2.x."""
    if isinstance(influxdb2_or_why, str):
        pytest.skip(influxdb2_or_why)
    return influxdb2_or_why


@pytest.fixture(scope="session")
def grafana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrafanaServer]:
    """A real Grafana, shared by the tests of a session."""
    for found in grafanas(tmp_path_factory.mktemp("grafana")):
        if isinstance(found, str):
            pytest.skip(found)
        yield found

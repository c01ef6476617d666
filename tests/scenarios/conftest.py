import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support.scene")

from tests.support.scene import Scene  # noqa: E402 - its asserts are to tell what they compared
from tests.support.servers import InfluxServer  # noqa: E402


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """An installation with the embedded store; nothing of this machine's configuration reaches it."""
    for name in [name for name in os.environ if name.startswith("TOKENTAIL_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    for name in ("STATE_DIRECTORY", "JOURNAL_STREAM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    found = Scene(tmp_path)
    yield found
    found.stop()


@pytest.fixture(params=["sqlite", "influxdb1", "influxdb2"])
def any_scene(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    """An installation with each store; a test skips for an InfluxDB that is not here."""
    if request.param != "sqlite":
        found: InfluxServer | str = request.getfixturevalue(f"{request.param}_or_why")
        if isinstance(found, str):
            pytest.skip(found)
        scene.store = found.make()
    return scene


@pytest.fixture
def remote(scene: Scene, influxdb: InfluxServer) -> Scene:
    """An installation with each InfluxDB."""
    scene.store = influxdb.make()
    return scene

"""Short runs of what `make kill-test` does two hundred times."""

from pathlib import Path

import pytest

from tests.kill.kill_rounds import is_here, kill_rounds

pytestmark = pytest.mark.long


def test_ten_rounds_of_kill_9(tmp_path: Path) -> None:
    assert kill_rounds(tmp_path, rounds=10, seed=20261124) == []


@pytest.mark.parametrize("kill_store", [False, True], ids=["", "the store, too"])
@pytest.mark.parametrize("store", ["influxdb1", "influxdb2"])
def test_three_rounds_of_kill_9_with_influxdb(tmp_path: Path, store: str, kill_store: bool) -> None:
    if not is_here(store):
        pytest.skip(f"no InfluxDB {store[-1]}.x here: see tests/support/servers.py")
    assert kill_rounds(tmp_path, rounds=3, seed=20261126, store=store, kill_store=kill_store) == []

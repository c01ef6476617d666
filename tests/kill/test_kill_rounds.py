"""A short run of what `make kill-test` does two hundred times."""

from pathlib import Path

import pytest

from tests.kill.kill_rounds import kill_rounds


@pytest.mark.slow
def test_ten_rounds_of_kill_9(tmp_path: Path) -> None:
    assert kill_rounds(tmp_path, rounds=10, seed=20261124) == []

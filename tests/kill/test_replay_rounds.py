"""A short run of what `make kill-test` does with the whole corpus."""

from pathlib import Path

import pytest

from tests.kill.replay_rounds import lines_of, replay_rounds

pytestmark = pytest.mark.slow


def test_four_kills_change_no_finding(tmp_path: Path) -> None:
    assert replay_rounds(tmp_path, lines_of(20261201, 30_000), kills=4, seed=20261201) == []

"""What `make test-fast` runs starts nothing and needs nothing; and the files that take longest are given out first."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.selection import longest_first

ROOT = Path(__file__).parents[1]
NOBODY = "http://127.0.0.1:1"


def pytest_with(directory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests that want servers and processes, where everything that could be started notes that it was."""
    for name in ("influxd", "grafana"):
        program = directory / name
        program.write_text(f"#!/bin/sh\ntouch {directory}/started\n")
        program.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENTAIL_", "PYTEST_"))}
    wanting = (
        "tests/stores/conformance/test_store.py",
        "tests/provision/test_export.py",
        "tests/scenarios/test_moved.py",
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options, *wanting],
        cwd=ROOT,
        env=inherited | {"PATH": f"{directory}:{os.environ['PATH']}"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_the_fast_tests_start_no_process_and_ask_no_server(tmp_path: Path) -> None:
    running = {"TOKENTAIL_TEST_INFLUXDB2_URL": NOBODY, "TOKENTAIL_TEST_GRAFANA_URL": NOBODY}
    fast = pytest_with(tmp_path, "--fast", **running, TOKENTAIL_TEST_GRAFANA_TOKEN="none")
    assert fast.returncode == 0, fast.stdout
    assert " passed" in fast.stdout
    assert " deselected" in fast.stdout, "those of a whole installation"
    assert "it starts a process" in fast.stdout
    assert not (tmp_path / "started").exists()
    pytest_with(tmp_path)
    assert (tmp_path / "started").exists(), "else nothing was shown"


class Item:
    """As much of a test as the order depends on."""

    def __init__(self, file: str, *, slow: bool = False) -> None:
        self.path = Path(file)
        self._slow = slow

    def get_closest_marker(self, name: str) -> bool:
        return self._slow and name == "slow"


def test_the_files_that_take_longest_come_first_and_stay_together() -> None:
    files = ("a_few.py", "slow.py", "many.py", "many.py", "a_few_more.py")
    given = [*map(Item, files), Item("slow.py", slow=True)]
    ordered: list[Any] = [*longest_first(cast("Any", given))]
    assert [str(item.path) for item in ordered] == ["slow.py"] * 2 + ["many.py"] * 2 + ["a_few.py", "a_few_more.py"]
    assert ordered[:2] == [given[1], given[5]]

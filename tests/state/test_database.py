import subprocess
import sys
from pathlib import Path

OPEN = """
import sys
from pathlib import Path
from ingestor.state.state import State

state = State.open(Path(sys.argv[1]), "host-1")
for pragma in ("journal_mode", "synchronous"):
    print(*state.connection.execute(f"PRAGMA {pragma}").fetchone())
"""
FULL = "2"


def test_what_is_committed_is_on_the_disk(tmp_path: Path) -> None:
    """In a process of its own: in that of the tests nothing waits for the disk (tests/conftest.py)."""
    ran = subprocess.run([sys.executable, "-c", OPEN, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["wal", FULL]

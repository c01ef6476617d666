"""docs/add-a-detector.md tells the truth: the code that it shows is the one that the tests run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.findall(r"```python\n(.*?)```", (ROOT / "docs/add-a-detector.md").read_text("utf-8"), re.DOTALL)


def test_the_detector_of_the_page_is_the_one_of_the_tests() -> None:
    tested = "detectors/repeated_reuse.py", "repeated_reuse_events.py"
    assert [(ROOT / "tests/support" / name).read_text("utf-8") for name in tested] == SHOWN

"""A path is a pattern only where it can match another name than its own: compared with what matches, ``fnmatch``."""

import fnmatch
import glob
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.config.path_patterns import has_pattern, matches


@given(st.text("ab[]!-", max_size=8))
def test_what_is_no_pattern_matches_itself_alone(name: str) -> None:
    if not has_pattern(name):
        assert re.escape(name) in fnmatch.translate(name)


@pytest.mark.parametrize("path", ["/a/*.log", "/a/x?.log", "/a/x[12].log", "/a/[]x].log", "/a/[!]x].log", "/*/x.log"])
def test_patterns(path: str) -> None:
    assert has_pattern(path)


@pytest.mark.parametrize("path", ["/a/x.log", "/a/x[.log", "/a/x].log", "/a/[]", "/a/[!]", "/a[/x]", "/a/{x}", "/a/-"])
def test_names(path: str) -> None:
    assert not has_pattern(path)


TREE = ["a.log", "b.log.1", ".hidden.log", "pod-1/a.log", "pod-1/sub/a.log", "pod-2/.hidden/a.log", "[x].log"]


@pytest.mark.parametrize(
    "pattern",
    [
        "*.log",
        "*",
        "**/*.log",
        "*/*.log",
        "*/a.log",
        "**/a.log",
        "pod-?/**/*",
        "**",
        ".*",
        "[[]x].log",
        "pod-[!2]/*",
        "a.log",
    ],
)
def test_a_pattern_matches_what_a_glob_finds(pattern: str, tmp_path: Path) -> None:
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    pattern = f"{tmp_path}/{pattern}"
    matched = glob.glob(pattern, recursive=True)  # noqa: PTH207 - what is compared with
    found = {path for path in matched if Path(path).is_file()}
    assert {f"{tmp_path}/{name}" for name in TREE if matches(pattern, f"{tmp_path}/{name}")} == found

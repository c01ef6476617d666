"""A path is a pattern only where it can match another name than its own: compared with what matches, ``fnmatch``."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.patterns import has_pattern


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

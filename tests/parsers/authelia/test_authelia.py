"""Lines of Authelia of which only what is asked for is decoded are what they are when all is."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import parsers.authelia as module
from parsers.authelia import Line
from parsers.records import RejectedError, decode

CASES = Path(module.__file__).parent / "testcases"
RECORDS = [
    json.loads(line)
    for name in ("requests", "failures")
    for line in (CASES / name / "input.jsonl").read_bytes().splitlines()
    if line.startswith(b"{") and line.endswith(b"}")
]
VALUES: st.SearchStrategy[Any] = st.sampled_from([None, True, 1, 2**70, "", "x", "é", [], ["a"], {}, {"msg": "x"}])
PIECES = st.sampled_from([b"", b"\0", b"\xff", b'"', b"\\ud800", b"{", b"NaN", b"1e999", b","])


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A line with other values at some keys, and perhaps with a byte that is missing or wrong."""
    record = dict(draw(st.sampled_from(RECORDS)))
    for key in draw(st.lists(st.sampled_from([*Line.__optional_keys__, "stack", "x"]), max_size=3)):
        record[key] = draw(VALUES)
    line = json.dumps(record).encode()
    if draw(st.booleans()):
        return line
    place = draw(st.integers(0, len(line) - 1))
    return line[:place] + draw(PIECES) + line[place + 1 :]


@given(changed())
def test_what_is_left_out_changes_nothing(line: bytes) -> None:
    try:
        whole = decode(line)
    except RejectedError as error:
        whole = error.rejection
    try:
        found = module._decoded(line)
    except RejectedError as error:
        found = error.rejection
    if isinstance(whole, dict):
        assert {key: found.get(key) for key in Line.__optional_keys__} == {
            key: whole.get(key) for key in Line.__optional_keys__
        }
    else:
        assert found == whole

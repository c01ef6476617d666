"""Lines of Hydra's log that are decoded at once are what they are with care."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from parsers.contract import Outcome
from parsers.hydra import HydraParser
from parsers.hydra.usual import decode_usual
from parsers.records import RejectedError

NOW_MS = 1_900_000_000_000
CASES = Path(__file__).parents[3] / "parsers" / "hydra" / "testcases"


def is_json(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except ValueError:
        return False


LINES = [
    line
    for name in ("requests", "leaked_headers", "failures", "other_lines")
    for line in (CASES / name / "input.jsonl").read_bytes().splitlines()
    if line.startswith(b"{") and b"resourceSpans" not in line and is_json(line)
]
RECORDS = [orjson.loads(line) for line in LINES]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1, 200.0, 2**70, "", "x", "é", [], ["a", "b"], [1], {}, "completed handling request", "/userinfo"]
)
PIECES = st.sampled_from([b"", b"\0", b"\xff", b'"', b"\\ud800", b"{", b"NaN", b"1e999", b","])


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A line with other values at some keys, and perhaps with a byte that is missing or wrong."""
    record = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(0, 3))):
        inner: Any = record
        while True:
            key = draw(st.sampled_from([*inner, "resourceSpans"]))
            if not isinstance(inner.get(key), dict) or draw(st.integers(0, 3)) == 0:
                inner[key] = copy.deepcopy(draw(VALUES))
                break
            inner = inner[key]
    line = json.dumps(record).encode()
    if draw(st.integers(0, 2)) > 0:
        return line
    place = draw(st.integers(1, len(line) - 1))  # what does not begin as an object is no line of Hydra's
    return line[:place] + draw(PIECES) + line[place + 1 :]


@given(changed())
def test_what_is_decoded_at_once_is_what_it_is_with_care(line: bytes) -> None:
    assert outcome(HydraParser()._read, line) == outcome(HydraParser()._read_with_care, line)


def outcome(read: Callable[[bytes, int], Outcome], line: bytes) -> Outcome:
    try:
        return read(line, NOW_MS)
    except RejectedError as error:
        return error.rejection


def test_nearly_all_lines_are_decoded_at_once() -> None:
    """Guards the test above against comparing the careful way with itself."""
    assert sum(decode_usual(line) is not None for line in LINES) > len(LINES) * 0.9

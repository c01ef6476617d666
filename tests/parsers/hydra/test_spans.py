"""Audit events that are decoded at once are what they are with care."""

import copy
import json
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from parsers.contract import Outcome
from parsers.hydra import HydraParser
from parsers.hydra.spans import decode_spans
from parsers.records import RejectedError

NOW_MS = 1_900_000_000_000
CASES = Path(__file__).parents[3] / "parsers" / "hydra" / "testcases"
LINES = [
    line for line in (CASES / "audit" / "input.jsonl").read_bytes().splitlines() if line.startswith(b'{"resourceSpans"')
]


def records() -> list[Any]:
    found = []
    for line in LINES:
        try:
            found.append(orjson.loads(line))
        except ValueError:
            continue
    return found


RECORDS = records()
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        1,
        200.0,
        2**70,
        "",
        "x",
        "é",
        [],
        [None],
        ["a"],
        [{}],
        {},
        {"stringValue": 1},
        "OAuth2AccessTokenIssued",
        "1",
    ]
)
PIECES = st.sampled_from(
    [b"", b"\0", b"\xff", b'"', b"\\ud800", b"{", b"NaN", b"1e999", b",", b'"events":[],', b'"name":"x",']
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A line with other values at some places, and perhaps with bytes that are missing or wrong."""
    record = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(0, 3))):
        inner: Any = record
        while inner:
            key = draw(st.sampled_from([*inner])) if isinstance(inner, dict) else draw(st.integers(0, len(inner) - 1))
            if not isinstance(inner[key], dict | list) or draw(st.integers(0, 7)) == 0:
                inner[key] = copy.deepcopy(draw(VALUES))
                break
            inner = inner[key]
    line = json.dumps(record, separators=(",", ":"), ensure_ascii=draw(st.booleans())).encode()
    if draw(st.integers(0, 2)) > 0:
        return line
    place = draw(st.integers(1, len(line) - 1))  # what does not begin as an object is no line of Hydra's
    return line[:place] + draw(PIECES) + line[place + draw(st.integers(0, 1)) :]


def outcome(read: Any, line: bytes) -> Outcome:
    try:
        found: Outcome = read(line, NOW_MS)
    except RejectedError as error:
        return error.rejection
    return found


@given(changed())
def test_what_is_decoded_at_once_is_what_it_is_with_care(line: bytes) -> None:
    parser = HydraParser()
    expected = outcome(HydraParser()._read_with_care, line)
    assert outcome(parser._read, line) == expected
    assert outcome(parser._read, line) == expected  # now its values are known


def test_nearly_all_lines_are_decoded_at_once() -> None:
    """Guards the test above against comparing the careful way with itself."""
    assert sum(decode_spans(line) is not None for line in LINES) > len(LINES) * 0.7
    assert sum(isinstance(outcome(HydraParser()._read, line), tuple | list) for line in LINES) > 3

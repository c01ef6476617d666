"""Every provider's lines become the same in every envelope, and without."""

import functools
import time
from pathlib import Path
from typing import Final

import orjson
import pytest

import parsers
from parsers.contract import events_of
from parsers.envelopes.taking import taken_off
from tests.support.enveloped import ALL, FOR_OBJECTS

ROOT: Final = Path(parsers.__file__).parent
NOW_MS: Final = time.time_ns() // 1_000_000
AUTO: Final = parsers.find("auto")
AS_IT_STANDS: Final = {name: parsers.find(name).parser for name in parsers.names()}


@functools.cache
def events(provider: str) -> list[bytes]:
    """Return the lines of a provider's test cases that are events as they stand."""
    parser = AS_IT_STANDS[provider]
    cases = sorted(ROOT.glob(f"{provider.replace(':', '/testcases/')}*/**/input.jsonl"))
    lines = [line for case in cases for line in case.read_bytes().split(b"\n")]
    outcomes = parser.parse(b"\n".join(lines) + b"\n", NOW_MS)
    return [line for line, outcome in zip(lines, outcomes, strict=True) if events_of(outcome)]


@pytest.mark.parametrize("name", ["none", *ALL])
@pytest.mark.parametrize("provider", AS_IT_STANDS)
def test_an_event_is_the_same_in_an_envelope(provider: str, name: str) -> None:
    """Also where a parser of ours reads it with its envelope by itself: that one need not be asked, as the other way is the same."""
    lines = [line for line in events(provider) if is_text(line) and (name not in FOR_OBJECTS or is_json(line))]
    assert lines or name in FOR_OBJECTS
    written = [line if name == "none" else ALL[name](line).removesuffix(b"\n") for line in lines]
    taken = [line for line in written if taken_off(line) is not None]
    assert AUTO.parse(b"\n".join(written), NOW_MS) == AUTO.parse(b"\n".join(lines), NOW_MS)
    by_the_envelope = AUTO.parse(b"\n".join(taken), NOW_MS)
    for parser in AS_IT_STANDS.values():
        as_it_stands = parser.parse(b"\n".join(taken), NOW_MS)
        assert [
            found
            for found, other in zip(as_it_stands, by_the_envelope, strict=True)
            if events_of(found) and found != other
        ] == []
    assert len(taken) in ({len(lines)} if name != "none" else range(len(lines)))


def is_text(line: bytes) -> bool:
    """Whether a line can be in every envelope: padding and what is no UTF-8 cannot."""
    try:
        return line.decode() == line.decode().strip(" \0\r\ufeff")
    except UnicodeDecodeError:
        return False


def is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True

"""Parsers by themselves, each with the log that its provider would have written of the same native events.

What counts is how many lines a parser reads in the time that the native one takes for one, at least 0.4, and 0.15 for a mapping. Both
parse by turns, in blocks as the daemon reads them. Of lines with many events the events are counted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import parsers
from bench import keycloak, providers
from parsers.contract import Parser, events_of

BLOCK_BYTES: Final = 1 << 20
_NATIVE: Final = "native"
_MAPPING: Final = Path(__file__).with_name("mappings") / "native.toml"


class Rate(NamedTuple):
    """How quick a parser is."""

    form: str
    events_per_second: float
    """Of processor time: the best round."""
    bytes_per_event: float
    of_native: float
    """The median of the rounds."""


def measure(native: Sequence[bytes], rounds: int, only: str = "") -> Iterator[Rate]:
    """Yield the rates of all forms of logs whose name contains ``only``, the native one first."""
    yardstick, lines = parsers.find(_NATIVE), _blocks(b"".join(native))
    for form, make in _forms().items():
        if only not in form:
            continue
        parser, data = make(native)
        blocks = _blocks(data)
        count = _events(parser, blocks)
        _events(yardstick, lines)
        times = [(_seconds(parser, blocks) / count, _seconds(yardstick, lines) / len(native)) for _ in range(rounds)]
        ratio = median(natives / own for own, natives in times)
        yield Rate(form, 1 / min(own for own, _ in times), len(data) / count, ratio)


def _forms() -> dict[str, Callable[[Sequence[bytes]], tuple[Parser, bytes]]]:
    """Return what makes a parser and its log of native lines, by the name of the form."""
    mapping = f"mapping:{_MAPPING}"
    return {
        _NATIVE: lambda native: (parsers.find(_NATIVE), b"".join(native)),
        "native, by a mapping": lambda native: (
            parsers.find(mapping, mapping=_MAPPING.read_text("utf-8")),
            b"".join(native),
        ),
        **{form: _keycloak(form) for form in keycloak.FORMS},
        **{form: _other(form) for form in providers.LOGS},
    }


def _keycloak(form: str) -> Callable[[Sequence[bytes]], tuple[Parser, bytes]]:
    return lambda native: (parsers.find("keycloak"), keycloak.write(form, native))


def _other(form: str) -> Callable[[Sequence[bytes]], tuple[Parser, bytes]]:
    return lambda native: (parsers.find(providers.LOGS[form].parser), providers.write(form, native))


def _blocks(data: bytes) -> list[bytes]:
    """Cut lines into blocks of whole lines."""
    blocks, start = [], 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + BLOCK_BYTES) + 1
        blocks.append(data[start:end])
        start = end
    return blocks


def _events(parser: Parser, blocks: Sequence[bytes]) -> int:
    """Return how many events a log has."""
    counts = [len(events_of(outcome)) for block in blocks for outcome in parser.parse(block, providers.NOW_MS)]
    if not all(counts):
        raise SystemExit(f"{parser.name}: a line is no event, so the comparison means nothing")
    return sum(counts)


def _seconds(parser: Parser, blocks: Sequence[bytes]) -> float:
    start = time.process_time()
    for block in blocks:
        parser.parse(block, providers.NOW_MS)
    return time.process_time() - start

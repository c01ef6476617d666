"""Logs of real servers, and what was done to these servers, operation by operation (``data/SERVER/TRUTH-RUN.jsonl.zst``).

The servers ran on loopback; names, addresses and secrets were made up, and the servers are gone.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import zstandard

from parsers.contract import Event, Outcome, events_of

DATA: Final = Path(__file__).parent / "data"

Told: TypeAlias = tuple[str, str, str | None]
"""(action, outcome, error)"""


class Operation(NamedTuple):
    """One request to the server, and the events that a perfect log would give."""

    number: int
    name: str
    expected: list[Told]
    lines: list[int]
    """Ordinals of the lines that the server wrote meanwhile."""
    sent: dict[str, Any]


def read(server: str, name: str) -> bytes:
    """Return a file of a server's data."""
    return zstandard.ZstdDecompressor().decompress(
        (DATA / server / f"{name}.zst").read_bytes(), max_output_size=1 << 26
    )


def operations(server: str, run: str, log: str) -> list[Operation]:
    """Return what was done in a run. ``log``: of whose lines the ordinals are wanted, such as ``pino/A.log``."""
    rows = [json.loads(line) for line in read(server, f"TRUTH-{run}.jsonl").splitlines()]
    return [
        Operation(
            row["n"],
            row["op"],
            [(action, outcome, error) for action, outcome, error in row["expect"]],
            row.get("lines", {}).get(log, []),
            row,
        )
        for row in rows
        if row["n"]
    ]


def told(outcomes: Sequence[Outcome], operation: Operation) -> list[Told]:
    """Return what the log says of an operation."""
    events = [Event(*row) for ordinal in operation.lines for row in events_of(outcomes[ordinal])]
    return [(event.tags.action, event.tags.outcome, event.tags.error or None) for event in events]

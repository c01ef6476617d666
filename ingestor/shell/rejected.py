"""The rejected file: every line that could not become an event, as a JSON object a line (promise 2).

Its length is part of the checkpoint; after a crash it is cut back to it, so that a line is never listed twice.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from parsers.event import Reason

REJECTED = "rejected.jsonl"


class RejectedLine(NamedTuple):
    """One entry. ``text`` is redacted and cut; the original is read again from its file when it is replayed."""

    rejected_at: str
    reason: Reason
    detail: str
    file: str
    offset: int
    length: int
    """Bytes, without the line's end."""
    ordinal: int
    source: str
    host: str
    generation: int
    sha256: str
    text: str


def rejected_line(
    line: bytes,
    *,
    reason: Reason,
    detail: str,
    file: str,
    offset: int,
    ordinal: int,
    source: str,
    host: str,
    generation: int,
    text: str,
) -> RejectedLine:
    """Make an entry of a line whose bytes are at hand."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    sha256 = hashlib.sha256(line).hexdigest()
    return RejectedLine(now, reason, detail, file, offset, len(line), ordinal, source, host, generation, sha256, text)


class RejectedFile:
    """Append entries; durable before the checkpoint that names the new length."""

    def __init__(self, directory: Path, length: int) -> None:
        """Open, and cut back to ``length`` bytes. Raises OSError."""
        self._path = directory / REJECTED
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.length = min(length, os.fstat(self._descriptor).st_size)
        os.ftruncate(self._descriptor, self.length)

    def append(self, entries: Sequence[RejectedLine]) -> int:
        """Write entries behind the checkpointed length and return the new one. May be repeated after an OSError."""
        data = b"".join(orjson.dumps(entry._asdict()) + b"\n" for entry in entries)
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self.length + written)
        os.ftruncate(self._descriptor, self.length + len(data))
        os.fsync(self._descriptor)
        return self.length + len(data)

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)


def read_rejected(directory: Path, replayed: set[tuple[int, int]] | None = None) -> Iterator[RejectedLine]:
    """Yield the entries, oldest first, without those that a replay has stored since."""
    try:
        file = (directory / REJECTED).open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if not line.endswith(b"\n"):
                return  # being written at this moment
            entry = RejectedLine(**orjson.loads(line))
            if (entry.generation, entry.offset) not in (replayed or ()):
                yield entry._replace(reason=Reason(entry.reason))

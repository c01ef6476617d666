"""The rejected file: every line that could not become an event, as a JSON object a line (promise 2).

Its length is part of the checkpoint; after a crash it is cut back to it, so that a line is never listed twice.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from ingestor.state.own_files import open_own
from parsers.contract import Reason

log = logging.getLogger("tokentail")

REJECTED = "rejected.jsonl"
DIGESTED_BYTES = 4096
"""So much of its end tells whether the file is still the one that was written."""


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
    event: int | None = None
    """Of a line of several events, which of them the store refuses, from 0; None for the line."""

    @property
    def place(self) -> tuple[int, int]:
        """What is listed, and nothing else: generation, and a byte of the line. A line has more bytes than events."""
        return self.generation, self.offset + (0 if self.event is None else 1 + self.event)


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
    """Append entries; durable before the checkpoint that names the new length.

    The file is for people, so people delete and edit it. Then what is left is set aside, said loudly, and another one is
    begun: entries that are gone cannot be listed or replayed, but they stay counted, and new ones have a place.
    """

    def __init__(self, directory: Path, mark: str = "", *, new: bool = False) -> None:
        """Open, and cut back to the checkpoint's ``mark``. ``new``: the state is, so a file is another one's. Raises OSError."""
        self._path = directory / REJECTED
        self._descriptor = self._open()
        self.checkpointed(mark)
        if new and os.fstat(self._descriptor).st_size:
            self._begin_anew("is not of this state, which is new")
        elif self._is_ours():
            os.ftruncate(self._descriptor, self._length)
        else:
            self._begin_anew("is not what was written")

    def append(self, entries: Sequence[RejectedLine]) -> str:
        """Write entries behind the last checkpoint and return what the next one must remember: length and a digest.

        May be repeated, until ``settle`` is told that the checkpoint was made. Raises OSError.
        """
        self._see_to_it_that_it_is_there()
        data = b"".join(orjson.dumps(entry._asdict()) + b"\n" for entry in entries)
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self._length + written)
        os.ftruncate(self._descriptor, self._length + len(data))
        os.fsync(self._descriptor)
        length = self._length + len(data)
        return f"{length}:{self._digest(length)}"

    def checkpointed(self, mark: str) -> None:
        """Note that a checkpoint remembers this mark."""
        length, _, self._digested = mark.partition(":")
        self._length = int(length or 0)

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return open_own(self._path, os.O_RDWR | os.O_CREAT)

    def _is_ours(self) -> bool:
        return not self._length or self._digest(self._length) == self._digested

    def _digest(self, length: int) -> str:
        start = max(0, length - DIGESTED_BYTES)
        return hashlib.blake2b(os.pread(self._descriptor, length - start, start), digest_size=8).hexdigest()

    def _see_to_it_that_it_is_there(self) -> None:
        opened = os.fstat(self._descriptor)
        try:
            named = self._path.stat()
        except FileNotFoundError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
            os.close(self._descriptor)
            self._descriptor = self._open()
            self._begin_anew("was deleted or replaced")
        elif not self._is_ours():
            self._begin_anew("was cut or overwritten")

    def _begin_anew(self, what_happened: str) -> None:
        aside = ""
        if os.fstat(self._descriptor).st_size:
            path = self._path.with_name(f"{REJECTED}.damaged-{int(time.time())}")
            self._path.rename(path)
            os.close(self._descriptor)
            self._descriptor = self._open()
            aside = f" What is there is kept as {path.name}."
        log.error(
            "%s %s. The lines that it listed stay counted, but cannot be listed or replayed any more.%s",
            self._path,
            what_happened,
            aside,
        )
        self.checkpointed("")


def read_rejected(directory: Path, replayed: set[tuple[int, int]] | None = None) -> Iterator[RejectedLine]:
    """Yield the entries, oldest first, without those that a replay has stored since. Illegible ones are skipped and said."""
    try:
        file = (directory / REJECTED).open("rb")
    except FileNotFoundError:
        return
    illegible = 0
    with file:
        for line in file:
            if not line.endswith(b"\n"):
                break  # being written at this moment
            try:
                entry = RejectedLine(**orjson.loads(line))
                entry = entry._replace(reason=Reason(entry.reason))
            except (ValueError, TypeError):
                illegible += 1
                continue
            if entry.place not in (replayed or ()):
                yield entry
    if illegible:
        log.warning("%s: %d lines are no entries of ours; was the file changed?", directory / REJECTED, illegible)

"""The simulated endpoint at work: a thread that writes the log at the pace of the compressed day, and rotates it twice."""

import contextlib
import shutil
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ingestor.demo.endpoint import Happening
from ingestor.demo.personas import DAY_MS
from ingestor.demo.providers import Line
from ingestor.demo.traffic import ATTACK_BEGINS

RENAME_AT = 1 / 3
COPY_AT = 2 / 3
LATE_LINES = 5
"""Written to the renamed file, as by a process that has not reopened its log yet."""
_TICK_SECONDS = 0.03
_HELD_BACK = 90
"""Bytes that wait for the next tick, as in a writer's buffer: the last line in the file is mostly half a line."""


class LogWriter(threading.Thread):
    """Writes ``lines`` (of one day, oldest first) to ``path`` within ``seconds``.

    What the other thread may read: ``written`` (lines), ``now_ms`` (simulated), ``happenings``, ``error``.
    """

    def __init__(self, path: Path, lines: Sequence[Line], end_ms: int, seconds: float) -> None:
        super().__init__(name="simulated token endpoint", daemon=True)
        self.path = path
        self.start_ms = end_ms - DAY_MS
        self.now_ms = self.start_ms
        self.written = 0
        self.happenings: list[Happening] = []
        self.error: OSError | None = None
        self._lines = lines
        self._seconds = seconds
        self._stop_asked = threading.Event()
        self._held = b""
        self._script = deque(
            [
                (self._at(RENAME_AT), self._rename_and_create),
                (self._at(ATTACK_BEGINS), self._announce_attack),
                (self._at(COPY_AT), self._copy_and_truncate),
            ]
        )
        self._file: IO[bytes] = path.open("ab")

    @property
    def rotated(self) -> tuple[Path, Path]:
        """Return the paths of the rotated generations, oldest first."""
        return self.path.with_name(self.path.name + ".2"), self.path.with_name(self.path.name + ".1")

    def stop(self) -> None:
        """End early, behind a whole line."""
        self._stop_asked.set()

    def run(self) -> None:
        """Write the day."""
        try:
            with contextlib.closing(self):
                begun = time.monotonic()
                while self.now_ms < self._at(1) and not self._stop_asked.wait(_TICK_SECONDS):
                    passed = min(1.0, (time.monotonic() - begun) / self._seconds)
                    self._advance(self._at(passed))
        except OSError as error:
            self.error = error

    def abandon(self) -> None:
        """Close the log of a writer that was never started."""
        if self.ident is None:
            self._file.close()

    def close(self) -> None:
        """Write what is held back."""
        self._write(b"", hold=0)
        self._file.close()

    def _at(self, share: float) -> int:
        return self.start_ms + int(share * DAY_MS)

    def _advance(self, until_ms: int) -> None:
        while self._script and self._script[0][0] <= until_ms:
            moment, perform = self._script.popleft()
            self._write_until(moment)
            perform()
        self._write_until(until_ms)

    def _write_until(self, until_ms: int) -> None:
        first = last = self.written
        while last < len(self._lines) and self._lines[last].time_ms < until_ms:
            last += 1
        self._write(b"".join(line.data for line in self._lines[first:last]), hold=_HELD_BACK)
        self.written, self.now_ms = last, until_ms

    def _write(self, data: bytes, *, hold: int) -> None:
        data = self._held + data
        keep = max(0, len(data) - hold)
        self._file.write(data[:keep])
        self._file.flush()
        self._held = data[keep:]

    def _rename_and_create(self) -> None:
        _, newest = self.rotated
        self._write(b"", hold=0)
        self.path.rename(newest)
        late = self._lines[self.written : self.written + LATE_LINES]
        self._write(b"".join(line.data for line in late), hold=0)
        self.written += len(late)
        self._file.close()
        self._file = self.path.open("ab")
        self._tell("renamed", f"The log is renamed and made anew; {len(late)} late lines go to the old file")

    def _copy_and_truncate(self) -> None:
        oldest, newest = self.rotated
        self._write(b"", hold=0)
        newest.rename(oldest)
        # Whatever is written between the copy and the truncate is in no file, so this writer waits, as endpoints that
        # can lose nothing must (design section 1).
        shutil.copyfile(self.path, newest)
        self._file.truncate(0)
        self._tell("truncated", "The log is copied, then cut to nothing under the same name")

    def _announce_attack(self) -> None:
        self._tell("attack", "Three addresses begin to guess the secret of one client", alarming=True)

    def _tell(self, label: str, text: str, *, alarming: bool = False) -> None:
        self.happenings.append(Happening(self.now_ms, label, text, alarming))

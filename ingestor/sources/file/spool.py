"""Copy a pipe into files, which can be read again: what is in them is safe, whatever becomes of the reader.

A pipe is read once. So a thread of its own does nothing but copy it, into segments that are followed as a log is that is
rotated by renaming. When too much of it waits, the pipe is left alone, and holds its writer up.
"""

import errno
import logging
import os
import re
import select
import stat
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from ingestor.config.settings import STDIN
from ingestor.model.log_file import shown
from ingestor.state.own_files import open_own

log = logging.getLogger("tokentail")

SEGMENT_BYTES: Final = 64 << 20
"""A segment ends with the first line that ends behind so many bytes; one without lines at twice as many."""
MOST_UNREAD_BYTES: Final = 256 << 20
"""While more waits to be read, the pipe is not."""
READ_BYTES: Final = 1 << 16
"""What a pipe holds."""
LAST_BYTES: Final = 1 << 20
"""No more is taken out of the pipe at the end, where a writer does not stop."""
RETRY_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1
POLL_MS: Final = 200
ONCE_PATIENCE_SECONDS: Final = 60.0
"""How long ``--once`` keeps trying what fails."""


def is_pipe(path: str) -> bool:
    """Tell whether a log's path is standard input or a FIFO."""
    try:
        return path == STDIN or stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116 - strings, as everywhere here
    except OSError:
        return False


def ends(path: str) -> bool:
    """Tell whether a pipe is over when its writers are gone: one without a name, as a shell makes between commands."""
    return path == STDIN or os.path.basename(os.path.realpath(path)).startswith("pipe:[")  # noqa: PTH119


def spool_name(path: str) -> str:
    """Return the name of the file that a pipe is copied into. No name looks like a rotated one of another's."""
    if path == STDIN:
        return "stdin.log"
    digest = blake2b(os.fsencode(path), digest_size=4).hexdigest()
    return f"pipe-{digest}-{re.sub(r'[^A-Za-z0-9]+', '-', path.rpartition('/')[2])[:40]}.log"


class Spool:
    """One pipe, and the thread that copies it."""

    def __init__(self, path: str, file: Path, *, once: bool = False, wake: Callable[[], None] = lambda: None) -> None:
        """``file``: the newest segment. ``once``: a FIFO is over as well when its writers are gone. ``wake`` is called at the end."""
        self.path, self.file = path, file
        self.problem: str | None = None
        """What keeps the pipe from being read, or copied."""
        self.ended = False
        """Whether the pipe is over, and all of it is in the segments."""
        self.unread_bytes = 0
        """How much of the segments waits to be read, as whoever reads them has told, and what came since."""
        self._ends = once or ends(path)
        self._once = once
        self._new = ends(path)
        """Whether another writer has filled the segments that are there: they are ended, for a pipe that is a new one."""
        self._wake = wake
        self._stop = threading.Event()
        self._failing_since: float | None = None
        self._pipe = self._segment = -1
        self._poll = select.poll()
        self._size = 0
        self._half = False
        """Whether the segment ends with a line that has no end yet."""
        self._rest = b""
        """What was read and is not in a segment."""
        self._thread = threading.Thread(target=self._run, name="tokentail-spool", daemon=True)

    def start(self) -> None:
        """Begin to copy. The newest segment is there afterwards, unless the disk refuses."""
        self._try(self._open_segment)
        self._thread.start()

    def stop(self) -> None:
        """Take what the pipe holds, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def segments(self) -> list[Path]:
        """Return the segments that are there, the newest one last. Raises OSError."""
        return [*sorted(self.file.parent.glob(f"{self.file.name}-*")), self.file]

    def _run(self) -> None:
        while not self._stop.is_set() and not self.ended:
            if not self._try(self._copy):
                self._stop.wait(RETRY_SECONDS)
        if not self.ended:
            self._try(self._take_the_rest)
        for descriptor in (self._pipe, self._segment):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake()

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except OSError as error:
            now = time.monotonic()
            self._failing_since = self._failing_since or now
            self._report(f"{shown(self.path)} is not read: {error.strerror} ({error.filename or self.file.parent})")
            if self._once and now - self._failing_since > ONCE_PATIENCE_SECONDS:
                self.ended = True
            return False
        self._failing_since = None
        self._report(None)
        return True

    def _report(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            log.warning("%s; its writer waits, and it is tried again", problem)
        elif problem is None and self.problem is not None:
            log.info("%s is read again", shown(self.path))
        self.problem = problem

    def _copy(self) -> None:
        """Copy what is there; return after a moment when nothing is. Raises OSError."""
        self._open_segment()
        self._store()
        if self.unread_bytes >= MOST_UNREAD_BYTES:
            self._stop.wait(PAUSE_SECONDS)
            return
        self._open_pipe()
        data = self._take(POLL_MS)
        if data:
            self._rest = data
            self._store()
        elif data is not None:
            self._note_the_end()

    def _take_the_rest(self) -> None:
        self._store()
        taken = 0
        while self._pipe >= 0 and taken < LAST_BYTES and (data := self._take(0)):
            self._rest = data
            self._store()
            taken += len(data)

    def _take(self, timeout_ms: int) -> bytes | None:
        """Return what the pipe holds; None when nothing has come, and nothing at all when all writers are gone."""
        if not self._poll.poll(timeout_ms) and (self.path == STDIN or not self._ends):
            return None
        try:
            return os.read(self._pipe, READ_BYTES)
        except BlockingIOError:
            return None

    def _note_the_end(self) -> None:
        if self._half:  # whoever wrote it is gone; the next one begins a line
            self._rest = b"\n"
            self._store()
        if self._ends:
            self.ended = True
            return
        # A FIFO that is opened anew says nothing until a new writer comes. The old one is let go afterwards: a FIFO
        # without a reader would have its writers wait.
        former, self._pipe = self._pipe, -1
        self._poll.unregister(former)
        try:
            self._open_pipe()
        finally:
            os.close(former)

    def _open_pipe(self) -> None:
        if self._pipe >= 0:
            return
        if self.path == STDIN:
            self._pipe = os.dup(0)
        else:
            self._pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISFIFO(os.fstat(self._pipe).st_mode):
                os.close(self._pipe)
                self._pipe = -1
                raise OSError(errno.ENXIO, "It is no FIFO any more, which SIGHUP or a restart takes note of", self.path)
        self._poll.register(self._pipe, select.POLLIN)

    # Segments

    def _open_segment(self) -> None:
        if self._segment >= 0:
            return
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        self._segment = open_own(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._size = os.fstat(self._segment).st_size
        self._half = self._size > 0 and os.pread(self._segment, 1, self._size - 1) != b"\n"
        if self._new and self._size:
            self._end_segment()
        self._new = False

    def _store(self) -> None:
        """Write what was read. Raises OSError; what is not written is kept."""
        while self._rest:
            self._open_segment()
            piece, full = self._rest, False
            if self._size + len(piece) >= SEGMENT_BYTES:
                # At the same place whatever the pieces are: a writer that repeats itself fills the same segments.
                end = piece.find(b"\n", max(0, SEGMENT_BYTES - self._size - 1)) + 1
                full = bool(end) or self._size + len(piece) >= 2 * SEGMENT_BYTES
                piece = piece[:end] if end else piece
            written = os.write(self._segment, piece)
            self._size += written
            self.unread_bytes += written
            self._half = piece[written - 1] != ord("\n")
            self._rest = self._rest[written:]
            if full and written == len(piece):
                self._end_segment()

    def _end_segment(self) -> None:
        """Rename the newest segment; the next one is made anew."""
        os.rename(self.file, self._dated())  # noqa: PTH104 - both are in our own directory
        os.close(self._segment)
        self._segment, self._size, self._half = -1, 0, False
        self._new = False
        self._open_segment()

    def _dated(self) -> Path:
        while (dated := self.file.with_name(f"{self.file.name}-{datetime.now(UTC):%Y%m%d-%H%M%S.%f}")).exists():
            pass
        return dated

"""One process holds a state directory; the kernel releases the lock when that process ends, however it ends."""

import fcntl
import os
from pathlib import Path

from ingestor.errors import PermissionDeniedError, StateLockedError
from ingestor.state.own_files import LinkError, open_own


class StateLock:
    """An exclusive ``flock`` on ``lock`` in the state directory."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises StateLockedError when another process has it, PermissionDeniedError when it may not be asked for, or a link is
        in its place: what that points to would be overwritten.
        """
        self._path = directory / "lock"
        try:
            self._descriptor = open_own(self._path, os.O_RDWR | os.O_CREAT)
        except LinkError as error:
            raise PermissionDeniedError(
                str(error.strerror),
                where=str(self._path),
                advice="Remove it, and let nobody else write that directory.",
            ) from error
        except PermissionError as error:
            raise PermissionDeniedError(
                "The state directory cannot be written",
                where=str(directory),
                advice="Run as the user that owns it, or name another one with --state-dir.",
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StateLockedError(
                f"Another tokentail (process {holder or 'unknown'}) holds this state",
                where=str(directory),
                advice="Stop it first, or give this one a state directory of its own with --state-dir.",
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._descriptor)


def is_held(directory: Path) -> bool:
    """Tell whether some process holds the state."""
    try:
        descriptor = open_own(directory / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

"""Open the state to write it, and say in words what its database or its directory refuses."""

import contextlib
import gc
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ingestor.config.settings import Settings
from ingestor.errors import PermissionDeniedError, UnavailableError
from ingestor.state.database import DATABASE, damaged, is_damage
from ingestor.state.state import State


def directory_of(settings: Settings) -> Path:
    """Return the state directory, which ``ingestor.config.load`` always sets."""
    if settings.state_directory is None:
        raise ValueError("settings without a state directory")
    return settings.state_directory


@contextlib.contextmanager
def explained_faults(directory: Path) -> Iterator[None]:
    """Raise a TokentailError for what the database, the disk under the state or its permissions refuse."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise damaged(directory / DATABASE, error) from error
        raise UnavailableError(
            f"The state database cannot be used: {error}",
            where=str(directory),
            advice="Is the disk full, or the directory not writable for this user? `tokentail validate` looks closer.",
        ) from error
    except PermissionError as error:
        raise PermissionDeniedError(
            "This user may not do that here",
            where=str(error.filename or directory),
            advice="Run as the user that owns the state, or name another one with --state-dir.",
        ) from error
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise  # not the system's
        raise UnavailableError(
            f"The state cannot be used: {error.strerror}",
            where=str(directory),
            advice="`tokentail validate` looks closer.",
        ) from error


@contextlib.contextmanager
def writing(settings: Settings) -> Iterator[State]:
    """Open the state for writing, which takes its lock."""
    tune_gc()
    directory = directory_of(settings)
    with explained_faults(directory), contextlib.closing(State.open(directory, settings.host)) as state:
        yield state


def tune_gc() -> None:
    """Have the cyclic garbage collector look at batches less often: nothing in them is a cycle, and it walks them all.

    For the whole process, so for its entry point to call. Worth about a tenth of reading, parsing and encoding.
    """
    gc.set_threshold(50_000, 20, 20)

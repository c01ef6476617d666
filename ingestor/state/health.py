"""What a running daemon says of itself outside the state's database, so that it can also say that it cannot write there.

A file of fixed size beside the database, overwritten in place: its blocks exist already, so a full disk does not silence
it. When it is silent all the same (a read-only disk, a daemon that hangs), its age says so.
"""

import logging
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ingestor.state.own_files import LinkError, open_own

log = logging.getLogger("tokentail")

VITALS = "vitals.json"
SIZE = 8192
"""Bytes of the file; what does not fit is left out from the end of the list of problems."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a daemon is. Times are wall clock, seconds since the Unix epoch."""

    written_at: float
    lag_since: float | None = None
    """When the oldest byte that is unread or unacknowledged was first seen; None when there is none."""
    store_problem: str = ""
    """Why the store refuses; empty while all is well."""
    store_failing_since: float | None = None
    log_problems: tuple[str, ...] = ()
    """What keeps logs from being read."""
    config_problem: str = ""
    """Why the configuration on disk is not the one in use."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""


class VitalsFile:
    """Writes vitals. Never raises: it is how a daemon tells of trouble, and must not add to it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / VITALS
        self._descriptor: int | None = None
        self._told = False

    def write(self, vitals: Health) -> None:
        """Replace what the file says."""
        try:
            if self._descriptor is None:
                self._descriptor = open_own(self._path, os.O_RDWR | os.O_CREAT)
            os.pwrite(self._descriptor, _encoded(vitals), 0)
        except LinkError as error:
            if not self._told:
                self._told = True
                log.warning(
                    "%s (%s): nothing is written there, so `tokentail status` knows little", error.strerror, self._path
                )
        except OSError:
            self.close()

    def close(self) -> None:
        """Release the file. It stays: it says how the daemon was."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_vitals(directory: Path) -> Health | None:
    """Return what a daemon said last; None when there is nothing, or nothing legible."""
    try:
        with os.fdopen(open_own(directory / VITALS, os.O_RDONLY), "rb") as file:
            told: dict[str, Any] = orjson.loads(file.read(SIZE))
        return Health(**{**told, "log_problems": tuple(told["log_problems"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _encoded(vitals: Health) -> bytes:
    told = asdict(vitals)
    for name in ("store_problem", "config_problem"):
        told[name] = told[name][: SIZE // 8]
    problems = list(vitals.log_problems)
    while len(data := orjson.dumps(told | {"log_problems": problems})) > SIZE:
        problems = problems[: len(problems) // 2]
    return data.ljust(SIZE)

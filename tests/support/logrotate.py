"""What logrotate does to a log, by name and by order of steps, without its program (which CI's machine may not have)."""

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import zstandard

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "numbered_delay": {"compress": "gz", "delay": True},
    "dateext_s": {"date": "-202611{n:02}-17959918{n:02}", "compress": "gz", "delay": True},
    "dateext_ext": {"date": "-202611{n:02}2240{n:02}", "extension": ".log", "compress": "gz"},
    "olddir": {"olddir": True, "compress": "gz"},
    "olddir_date": {"olddir": True, "date": ".2026-11-{n:02}_22-40-07", "compress": "gz", "delay": True},
    "copytruncate": {"copytruncate": True, "compress": "gz", "delay": True},
    "copytruncate_date": {"copytruncate": True, "date": "-202611{n:02}-17959921{n:02}", "compress": "gz"},
    "rotate0": {"keep": 0},
    "rotate1": {"keep": 1},
    "nocreate": {"create": False, "compress": "gz"},
    "zst": {"compress": "zst"},
    "start0": {"start": 0, "compress": "gz", "delay": True},
    "dayfirst": {"date": ".{n:02}-11-2026-2247{n:02}", "compress": "gz"},
    "week": {"date": "-2026W{n:02}-17959925{n:02}", "compress": "gz"},
    "epoch": {"date": "-17959925{n:02}", "compress": "gz", "delay": True},
}
"""``date``: the format of dateext, with the number of the rotation in it. ``start``: the number of the newest one."""


class Logrotate:
    """Rotates one log; ``rotate`` returns the ids of the events that it removed for good."""

    def __init__(
        self,
        log: Path,
        *,
        date: str = "",
        extension: str = "",
        olddir: bool = False,
        copytruncate: bool = False,
        create: bool = True,
        compress: str = "",
        delay: bool = False,
        keep: int = 20,
        start: int = 1,
    ) -> None:
        self._log, self._date, self._extension = log, date, extension
        self._place = log.parent / "old" if olddir else log.parent
        self._place.mkdir(exist_ok=True)
        self._copytruncate, self._create, self._keep, self._start = copytruncate, create, keep, start
        self._compress, self._delay = compress, delay
        self._kept: list[Path] = []
        """Newest first."""
        self._number = 0

    @property
    def archives(self) -> list[Path]:
        """Where rotated files are moved to."""
        return [] if self._place == self._log.parent else [self._place]

    def rotate(self) -> list[str]:
        self._number += 1
        if not self._date:
            for number in range(len(self._kept) - 1, -1, -1):
                self._kept[number] = self._kept[number].rename(self._named(number + 1, self._kept[number]))
        if self._compress and self._delay and self._kept:
            self._kept[0] = self._pack(self._kept[0])
        newest = self._named(0, self._log)
        if self._copytruncate:
            shutil.copyfile(self._log, newest)
            os.truncate(self._log, 0)
        else:
            self._log.rename(newest)
            if self._create:
                self._log.touch()
        self._kept.insert(0, newest)
        if self._compress and not self._delay:
            self._kept[0] = self._pack(newest)
        removed, self._kept = self._kept[self._keep :], self._kept[: self._keep]
        return [event_id for path in removed for event_id in _remove(path)]

    def _named(self, place: int, now: Path) -> Path:
        """Return the name of what is so many places behind the newest; ``now`` is its present one."""
        packed = f".{self._compress}" if self._compress and now.name.endswith(f".{self._compress}") else ""
        if not self._date:
            return self._place / f"{self._log.name}.{self._start + place}{packed}"
        stem = self._log.name.removesuffix(self._extension) if self._extension else self._log.name
        return self._place / f"{stem}{self._date.format(n=self._number)}{self._extension}{packed}"

    def _pack(self, path: Path) -> Path:
        packed = path.with_name(f"{path.name}.{self._compress}")
        data = path.read_bytes()
        packed.write_bytes(gzip.compress(data) if self._compress == "gz" else zstandard.compress(data))
        path.unlink()
        return packed


def _remove(path: Path) -> list[str]:
    """Delete a plain file; return the ids in it."""
    ids = [json.loads(line)["id"] for line in path.read_bytes().splitlines()]
    path.unlink()
    return ids

"""What is known of a file that holds lines: who it is, how it looked, how it is read. Pure but for the name's encoding."""

import os
from typing import NamedTuple, Protocol


class FileIdentity(NamedTuple):
    """Device and inode: enough while a file is open, never enough afterwards."""

    device: int
    inode: int


class FileStat(NamedTuple):
    """One look at a file."""

    identity: FileIdentity
    size: int
    mtime_ns: int
    links: int


class LogFile(Protocol):
    """An open file that holds a generation."""

    path: str
    compressed: bool
    damaged: bool
    """Known to be truncated or corrupt: what can be read is not all there was."""
    identity: FileIdentity

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes of content from ``offset``; fewer only at the end, or before damage.

        Raises DamagedFileError where nothing more of a compressed file can be read.
        """
        ...

    def after_hole(self, offset: int) -> int:
        """Return where the NULs that begin at ``offset`` end, or are looked at next: the work is bounded.

        Raises as ``read_at`` does.
        """
        ...

    def progress(self, offset: int) -> float:
        """Return which part of the file lies before ``offset``, 0 to 1."""
        ...

    def stat(self) -> FileStat:
        """Return size (of a compressed file: as it lies on the disk), modification time and link count."""
        ...

    def close(self) -> None:
        """Release the descriptor."""
        ...


def shown(path: str) -> str:
    """Return a path as text that can be kept and printed: names on Unix are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")

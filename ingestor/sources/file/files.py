"""Files as those who follow logs see them: random reads of plain files, forward reads of compressed ones.

Both answer ``read_at``, so that everything above (fingerprints, blocks, verification) is the same for a live log and for
its compressed past.
"""

import bz2
import contextlib
import errno
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

import zstandard

from ingestor.model.generation import TAIL_BYTES
from ingestor.model.identity import HEAD_BYTES as KEPT_BYTES
from ingestor.model.log_file import FileIdentity, FileStat, LogFile
from ingestor.model.rotation_names import is_compressed

_INODE_BITS = 0x7FFF_FFFF_FFFF_FFFF
"""What SQLite's integers hold."""

DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    OSError,
    zstandard.ZstdError,
)
"""What decompressors raise for a truncated or corrupt file (bz2 raises OSError)."""


class DamagedFileError(Exception):
    """A compressed file is truncated or corrupt. Everything before the damage has been delivered."""


class ContentChangedError(Exception):
    """A file no longer holds what was read from it: truncated, rewritten, or another one in its place."""


def stat_file(path: str) -> FileStat | None:
    """Return what is at ``path`` (through symlinks); None when nothing is. Raises OSError when it cannot be told."""
    try:
        return _sighting(os.stat(path))  # noqa: PTH116 - a Path object per poll and file would cost more than the call
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_as_before(path: str, before: FileStat) -> bool:
    """Tell whether ``path`` still is what it was then. Cheap: idle logs by the thousand are asked this every second."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return False
    return (
        status.st_size == before.size
        and status.st_mtime_ns == before.mtime_ns
        and status.st_ino & _INODE_BITS == before.identity[1]
        and status.st_dev == before.identity[0]
        and status.st_nlink == before.links
    )


def open_log(path: str) -> LogFile:
    """Open a log or a rotated generation. Raises OSError; ValueError for what is no regular file (a pipe never ends)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISFIFO(status.st_mode):
            raise ValueError(f"{path} is a pipe, which can be read once: `tokentail run {path}` follows it")  # noqa: TRY301
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a regular file")  # noqa: TRY301 - the descriptor is closed below
        if is_compressed(path):
            return CompressedFile(path, descriptor)
        return PlainFile(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise


class PlainFile:
    """A plain file, read by position: nothing is remembered between two reads."""

    compressed = False
    damaged = False

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.identity = self.stat().identity

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        return os.pread(self._descriptor, length, offset)

    def after_hole(self, offset: int) -> int:
        """Return where the NULs that begin at ``offset`` end. What was never written is passed over, however long it is."""
        try:
            offset = max(offset, os.lseek(self._descriptor, offset, os.SEEK_DATA))
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return max(offset, self.stat().size)
            # A file system that cannot tell: the NULs are read.
        return _after_nuls(self, offset)

    def progress(self, offset: int) -> float:
        """Return which part of the file lies before ``offset``."""
        return min(1.0, offset / max(1, self.stat().size))

    def stat(self) -> FileStat:
        """Return the file's present size, modification time and link count."""
        return _sighting(os.fstat(self._descriptor))

    def close(self) -> None:
        """Release the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class CompressedFile:
    """A compressed file, decompressed forwards in bounded memory; the last few KiB can be read again."""

    compressed = True

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.damaged = False
        self._raw = os.fdopen(descriptor, "rb")
        self.identity = self.stat().identity
        self._opener = _OPENERS[Path(path).suffix]
        self._head = b""
        self._start = 0
        self._window = bytearray()
        self._stream = self._opener(self._raw)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` decompressed bytes from ``offset``."""
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        if offset < self._start:
            self._rewind()
        end = offset + length
        while self._start + len(self._window) < end:
            self._forget_before(offset - TAIL_BYTES)
            wanted = min(end - self._start - len(self._window), _STEP)
            data = self._read(wanted)
            if not data:
                break
            if len(self._head) < KEPT_BYTES:
                self._head = (self._head + data)[:KEPT_BYTES]
            self._window += data
        found = bytes(self._window[max(0, offset - self._start) : end - self._start])
        if self.damaged and not found and length:
            raise DamagedFileError(f"{self.path} is truncated or damaged")
        return found

    def after_hole(self, offset: int) -> int:
        """Return where the NULs that begin at ``offset`` end."""
        return _after_nuls(self, offset)

    def progress(self, offset: int) -> float:  # noqa: ARG002 - where decompressed bytes lie in the file only the stream knows
        """Return which part of the compressed file has been taken up."""
        return min(1.0, self._raw.tell() / max(1, self.stat().size))

    def stat(self) -> FileStat:
        """Return the compressed file's size, modification time and link count."""
        return _sighting(os.fstat(self._raw.fileno()))

    def close(self) -> None:
        """Release the descriptor."""
        self._raw.close()

    def _forget_before(self, offset: int) -> None:
        surplus = offset - self._start
        if surplus > _STEP or surplus >= len(self._window) > 0:
            surplus = min(surplus, len(self._window))
            del self._window[:surplus]
            self._start += surplus

    def _read(self, length: int) -> bytes:
        try:
            return self._stream.read1(length)  # not read(): it drops what it has when damage follows
        except DAMAGE:
            self.damaged = True  # what came before is good and is delivered first
            return b""

    def _rewind(self) -> None:
        self._raw.seek(0)
        self._stream = self._opener(self._raw)
        self._start = 0
        self._window = bytearray()
        self._head = b""


_HOLE_BYTES = 1 << 24
"""NULs that are read at a time."""


def _after_nuls(file: LogFile, offset: int) -> int:
    end = offset + _HOLE_BYTES
    while offset < end:
        data = file.read_at(offset, _STEP)
        rest = data.lstrip(b"\0")
        offset += len(data) - len(rest)
        if rest or not data:
            break
    return offset


def after_whole_hole(file: LogFile, offset: int) -> int:
    """Return where the NULs that begin at ``offset`` end, however many they are. Raises as ``read_at`` does."""
    while (end := file.after_hole(offset)) != offset:
        offset = end
    return offset


_STEP = 1 << 18
"""Decompressed bytes a read: enough to be fast, little enough to skip a huge file in bounded memory."""


class _ZstFile:
    """Frame after frame. zstandard's own reader takes a truncated frame for the end of the file: a silent gap."""

    _COMPRESSED_STEP = 1024  # a kilobyte of hostile input expands to 32 MiB at the very worst

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._rest = b""
        self._ready = bytearray()

    def read1(self, size: int = -1) -> bytes:
        """Return the next decompressed bytes, at most ``size``; nothing at the end. Raises EOFError, zstandard.ZstdError."""
        while not self._ready:
            compressed = self._rest or self._raw.read(self._COMPRESSED_STEP)
            self._rest = b""
            if not compressed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a frame")
                break
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready += self._frame.decompress(compressed)
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame = None
        end = len(self._ready) if size < 0 else size
        data = bytes(self._ready[:end])
        del self._ready[:end]
        return data


class _Stream(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


_OPENERS: dict[str, Callable[[IO[bytes]], _Stream]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw, mode="rb"),
    ".zst": _ZstFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


def _sighting(status: os.stat_result) -> FileStat:
    identity = FileIdentity(status.st_dev, status.st_ino & _INODE_BITS)
    return FileStat(identity, status.st_size, status.st_mtime_ns, status.st_nlink)


def close_quietly(file: LogFile | None) -> None:
    """Close a file whose fate no longer matters."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.close()

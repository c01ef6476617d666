"""Compare a file with one generation: by its content, from a byte on, never by its name."""

from ingestor.model.generation import HEAD_BYTES, TAIL_BYTES, Generation, Match, Position, digest
from ingestor.model.identity import HEAD_BYTES as KEY_BYTES
from ingestor.model.identity import generation_hash, telling_head
from ingestor.model.log_file import LogFile
from ingestor.state.generations import Reader


def key_of(file: LogFile, at: int = 0, *, closed: bool = False) -> int | None:
    """Return the hash of how a file begins, or how its content from a byte on does. Raises OSError, DamagedFileError."""
    told = _telling_head(file, at, closed=closed)
    return None if told is None else generation_hash(told)


def _telling_head(file: LogFile, at: int = 0, *, closed: bool = False) -> bytes | None:
    head = file.read_at(at, KEY_BYTES)
    if head.startswith(b"\0") and not head.strip(b"\0"):
        head = file.read_at(file.after_hole(at), KEY_BYTES)
    return telling_head(head, closed=closed or (file.compressed and not file.damaged and len(head) < KEY_BYTES))


def kinship(file: LogFile, generation: Generation, at: int = 0) -> Match:
    """Compare a file's content, from a byte on, with what is remembered of a generation. Raises OSError, DamagedFileError.

    Of a compressed file everything up to the offset is decompressed, but only when its head is the generation's.
    """
    position = generation.position
    head = file.read_at(at, position.head_length)
    if position.kinship(position.offset, head, b"") is Match.OTHER and position.kinship(0, head, b"") is Match.OTHER:
        return Match.OTHER
    tail = file.read_at(at + position.offset - position.tail_length, position.tail_length)
    # What could be read is there, whatever size a share's attributes tell.
    return position.kinship(position.offset - position.tail_length + len(tail), head, tail)


def parts_from(file: LogFile, reader: Reader) -> bool:
    """Tell whether a file that holds all that was read goes on otherwise than the one that it is read from.

    A copy of a log that is written holds what the log has got meanwhile: the bytes behind the position tell, as far as both have
    any. Where the other one has none, and is at rest, all that follows is another way. Raises OSError, DamagedFileError.
    """
    other, position = reader.file, reader.generation.position
    if other.identity == file.identity:
        return False
    here = file.read_at(position.offset, TAIL_BYTES)
    there = b"" if other.compressed else other.read_at(position.offset, len(here))
    if not there:
        return bool(here) and other.stat() == reader.read_to_end_at
    both = min(len(here), len(there))
    return here[:both] != there[:both]


def begins_with_rest(file: LogFile, other: LogFile, start: int) -> bool:
    """Tell whether a file holds all that another one holds from a byte on, at its place. Raises OSError, DamagedFileError."""
    position = start
    while part := other.read_at(position, KEY_BYTES):
        if file.read_at(position, len(part)) != part:
            return False
        position += len(part)
    return position > start


def holds_all_seen(file: LogFile, generation: Generation, rest: bytes | None) -> bool:
    """Tell whether a file holds all that was read of a generation, and the half line that was seen behind it, if any.

    ``rest``: the digest of that half line; None when it is not known. Raises OSError, DamagedFileError.
    """
    length = generation.size_seen - generation.position.offset
    if length > 0 and (rest is None or digest(file.read_at(generation.position.offset, length)) != rest):
        return False
    return kinship(file, generation) is Match.SAME


def whole_mark(file: LogFile) -> Position:
    """Return the fingerprint of all of a file that is there; of a compressed one, of its head alone (all would take long)."""
    head = file.read_at(0, HEAD_BYTES)
    size = len(head) if file.compressed else file.stat().size
    start = max(0, size - TAIL_BYTES)
    return Position.at(size, head, file.read_at(start, size - start))

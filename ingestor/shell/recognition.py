"""Which generation a file holds, asked of the files themselves."""

import os
from collections.abc import Iterable
from pathlib import Path

from ingestor.core.generation import HEAD_BYTES, TAIL_BYTES, Fingerprint, Generation, Kinship, Status
from ingestor.core.rotation import Age, rotation_age, uncompressed_name
from ingestor.shell.files import LogFile


def siblings(live_path: str, archive_directories: tuple[str, ...]) -> list[str]:
    """Return the paths of the rotated generations of a log that are on the disk, oldest first."""
    live, target = Path(live_path), Path(os.path.realpath(live_path))
    places = dict.fromkeys((str(live.parent), *archive_directories), live.name)
    places.setdefault(str(target.parent), target.name)
    found: list[tuple[Age, str]] = []
    for directory, live_name in places.items():
        try:
            names = set(os.listdir(directory))  # noqa: PTH208 - names are wanted, a Path for each is waste
        except OSError:
            continue  # an archive that is not mounted, a directory being made again: the next look sees it
        # Every rotated name begins so. Of thousands of logs in one directory each asks for its own.
        start = live_name.rpartition(".")[0] or live_name
        for name in [name for name in names if name.startswith(start)]:
            age = rotation_age(live_name, name)
            plain = uncompressed_name(name)
            # While `x` is being compressed there is an unfinished `x.gz` beside it.
            if age is not None and (plain in {name, live_name} or plain not in names):
                found.append((age, f"{directory}/{name}"))
    return [path for _, path in sorted(found)]


def kinship(file: LogFile, generation: Generation) -> Kinship:
    """Compare a file's content with what is remembered of a generation. Raises OSError, DamagedFileError.

    Of a compressed file everything up to the offset is decompressed, but only when its head is the generation's.
    """
    mark = generation.mark
    head = file.read_at(0, mark.head_length)
    if mark.kinship(mark.offset, head, b"") is Kinship.OTHER and mark.kinship(0, head, b"") is Kinship.OTHER:
        return Kinship.OTHER
    tail = file.read_at(mark.offset - mark.tail_length, mark.tail_length)
    size = mark.offset - mark.tail_length + len(tail) if file.compressed else file.look().size
    return mark.kinship(size, head, tail)


def best_match(file: LogFile, known: Iterable[Generation]) -> tuple[Generation, Kinship] | None:
    """Return the likeliest generation that a file holds (or is a shorter piece of); None when it is unknown.

    The one of which most was read wins: it says most about the content. Where the rest of the file then belongs to another
    one with the same beginning, it makes the same points, for equal bytes do. Then what is open, and then by inode.
    """
    shorter: tuple[Generation, Kinship] | None = None
    for generation in sorted(
        (generation for generation in known if generation.mark.offset),
        key=lambda g: (-g.mark.offset, g.status is not Status.OPEN, (g.device, g.inode) != file.identity, -g.number),
    ):
        found = kinship(file, generation)
        if found is Kinship.SAME:
            return generation, found
        if found is Kinship.SHORTER:
            shorter = shorter or (generation, found)
    return shorter


def is_settled(file: LogFile, generation: Generation) -> bool:
    """Tell cheaply that a file holds a generation with which nothing is left to do."""
    if generation.status not in {Status.CLOSED, Status.SKIPPED} or not generation.mark.offset:
        return False
    if (generation.device, generation.inode) != file.identity:
        return False
    if not file.compressed and file.look().size != generation.size_seen:
        return False
    mark = generation.mark
    return mark.kinship(0, file.read_at(0, mark.head_length), b"") is not Kinship.OTHER


def is_prefix(file: LogFile, whole: LogFile) -> bool:
    """Tell whether a plain file is the beginning of another one: a copy being made, or made a moment ago.

    Compared are its head and its last bytes. A compressed file is none (it is compared by kinship).
    """
    if file.compressed or whole.compressed:
        return False
    size = file.look().size
    start = max(0, size - TAIL_BYTES)
    return size <= whole.look().size and all(
        file.read_at(offset, length) == whole.read_at(offset, length)
        for offset, length in ((0, min(size, HEAD_BYTES)), (start, size - start))
    )


def whole_mark(file: LogFile) -> Fingerprint:
    """Return the fingerprint of all of a file that is there; of a compressed one, of its head alone (all would take long)."""
    head = file.read_at(0, HEAD_BYTES)
    size = len(head) if file.compressed else file.look().size
    start = max(0, size - TAIL_BYTES)
    return Fingerprint.at(size, head, file.read_at(start, size - start))

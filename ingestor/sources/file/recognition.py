"""Which generation a file holds, asked of the file itself: of its content, over all sources, never of its name."""

from collections.abc import Collection, Container
from typing import NamedTuple

from ingestor.model.generation import HEAD_BYTES, Comparison, Generation, Match, Status
from ingestor.model.identity import HEAD_BYTES as KEY_BYTES
from ingestor.model.identity import telling_head
from ingestor.model.log_file import LogFile
from ingestor.model.trail import DIGEST_BYTES, agreement, line_digests, rejoins
from ingestor.sources.file.matching import key_of, kinship
from ingestor.state.generation_trails import BEGINNING_LINES
from ingestor.state.generations import Generations

COMPARED_BYTES = 1 << 18
"""Of the generations that begin like a file, the one that agrees longest within so many bytes is the one it comes from."""


REJOINING_LINES = 32
"""Among so many first lines of a log two are looked for in a former content, which it may go on with."""


JOINING_EVENTS = 2
"""So many first events of a content must agree where it is looked for behind another one."""


class Content(NamedTuple):
    """What a file was found to hold."""

    key: int | None
    """Hash of how it begins; None while no line with a date is whole."""
    same: Generation | None = None
    """It holds all of this one that was read, and perhaps more."""
    compared: Comparison | None = None
    """Else: it begins like this former content, and is something else, or ends, further on."""
    like: Generation | None = None
    """Behind all of this one, that is: files were joined."""

    def owner(self, generations: Generations) -> Generation | None:
        """Return the generation that its first lines are of; None when nobody knows them."""
        former = None if self.compared is None else generations[self.compared.former]
        return self.same or self.like or former

    def begin(self, generations: Generations, source: str, path: str, file: LogFile) -> Generation:
        """Begin the generation that it is, of which not all is known."""
        return generations.begin(source, path, file.identity, key=self.key, like=self.like, compared=self.compared)


def recognise(
    file: LogFile, generations: Generations, *, near: tuple[Generation, ...] = (), sources: Container[str] | None = None
) -> Content:
    """Return what a file holds. ``sources``: of these alone, if somebody wants it so; else of all.

    ``near``: generations that were at its place before; of a log that lost its beginning only these are looked through.
    Raises OSError, DamagedFileError, sqlite3.Error.
    """
    key = key_of(file)
    likely = [g for g in _likeliest(file, generations, key) if sources is None or g.source in sources]
    same = next((g for g in likely if _holds(file, g, key)), None)
    if same is not None and key is not None and (longer := _longer(file, generations, same, key, sources)) is not None:
        return Content(key, None, longer)
    if same is not None and (joined := _joined(file, generations, same, sources)) is not None:
        return Content(key, None, joined, like=same)
    if same is not None or key is None:
        return Content(key, same)
    return Content(key, None, former_of(file, generations, key, sources=sources) or trimmed(file, generations, near))


def _longer(
    file: LogFile, generations: Generations, same: Generation, key: int, sources: Container[str] | None
) -> Comparison | None:
    """Return a former content that a file agrees with for longer than with the one of which it holds all."""
    read = same.trail.lines
    if (
        not same.position.offset
        or same.status is Status.SKIPPED
        or not any(g.trail.lines > read for g in generations.by_key(key))
    ):
        return None
    found = former_of(file, generations, key, sources=sources)
    if found is None or found.former == same.number:
        return None
    begins = line_digests(_whole_lines(file.read_at(0, COMPARED_BYTES)))
    agrees = agreement(begins, generations.trail_of(generations[found.former])[: len(begins)])
    return found if agrees > read else None


def _joined(
    file: LogFile, generations: Generations, same: Generation, sources: Container[str] | None
) -> Comparison | None:
    """Return the former content with which a file goes on behind the one of which it holds all."""
    if not same.position.offset or same.status is Status.SKIPPED or same.compared is not None:
        return None
    return follows(file, generations, same.position.offset, same, sources=sources)


def follows(
    file: LogFile, generations: Generations, at: int, generation: Generation, *, sources: Container[str] | None = None
) -> Comparison | None:
    """Return the former content that a file goes on with from a byte on, where the one before has ended: files were joined.

    Two events of it tell, the first ones, in their order: one may be in two logs, and headers are in all. What begins like the
    file itself is no sign either, but a line that came again. Raises OSError, DamagedFileError, sqlite3.Error.
    """
    key = key_of(file, at)
    if key is None or key == generation.file_key:
        return None
    found = former_of(file, generations, key, at=at, besides=generation, sources=sources)
    former = None if found is None else generations[found.former]
    if former is None or former.first_event is None:
        return None
    begins = line_digests(_whole_lines(file.read_at(at, COMPARED_BYTES)))
    agreed = agreement(begins, generations.trail_of(former)[: len(begins)])
    events = begins[DIGEST_BYTES * former.first_event : DIGEST_BYTES * agreed : DIGEST_BYTES]
    return found if sum(digest & 1 for digest in events) >= JOINING_EVENTS else None


def _likeliest(file: LogFile, generations: Generations, key: int | None) -> list[Generation]:
    """Return the generations that a file may hold, the likeliest first.

    The one of which most was read says most about the content. Then what is open, and then by inode. Of what was read the
    head tells; by the key, which a banner can make common to thousands of files, only what was not read is found.
    """
    found: dict[int, Generation] = {}
    head = file.read_at(0, HEAD_BYTES)
    for length in generations.head_lengths:
        if length <= len(head):
            found.update((g.number, g) for g in generations.by_head(head[:length]))
    if key is not None:
        found.update((g.number, g) for g in generations.unread_by_key(key))
    found.update((g.number, g) for g in generations.by_identity(file.identity))
    return sorted(
        found.values(),
        key=lambda g: (
            -g.position.offset,
            g.status is not Status.OPEN,
            (g.device, g.inode) != file.identity,
            -g.number,
        ),
    )


def _holds(file: LogFile, generation: Generation, key: int | None) -> bool:
    """Tell whether a file holds all that was read of a generation.

    A header that all files have says nothing, nor does half a line behind it: with nothing else read, it has to be the
    same file, or one that begins alike through its first line with a date.
    """
    same_file = (generation.device, generation.inode) == file.identity
    if not generation.position.offset:
        if generation.status is not Status.OPEN:
            return False
        if generation.file_key is None:
            return same_file and file.stat().size >= generation.size_seen
        return generation.file_key == key
    if generation.status is not Status.SKIPPED:
        if generation.file_key is None and not same_file:
            return False
        if generation.first_event is None and generation.file_key != key:
            # The number of a file that is gone is given to the next one: what closed the former as half a line may be the
            # beginning of an event of this one.
            # Half a line with a date tells as a whole one does, and what follows it is read as one with it.
            ends_a_line = file.read_at(generation.position.offset - 1, 1) == b"\n"
            half = b"" if ends_a_line else file.read_at(0, min(generation.position.offset, KEY_BYTES))
            tells = bool(half) and telling_head(half + b"\n") is not None
            if not tells and not (same_file and (ends_a_line or key is None)):
                return False
    return kinship(file, generation) is Match.SAME


def former_of(
    file: LogFile,
    generations: Generations,
    key: int,
    *,
    at: int = 0,
    besides: Generation | None = None,
    sources: Container[str] | None = None,
) -> Comparison | None:
    """Return the former content that a file, or what is in it from a byte on, agrees with for longest; of these sources, or of any.

    Raises OSError, DamagedFileError, sqlite3.Error.
    """
    candidates = [g for g in generations.by_key(key) if g.trail.lines and g is not besides]
    if sources is not None:
        candidates = [g for g in candidates if g.source in sources]
    if not candidates:
        return None
    if len(candidates) > 1:
        begins = line_digests(_whole_lines(file.read_at(at, COMPARED_BYTES)))
        candidates = _agreeing_longest(begins, candidates, generations)
    if len(candidates) > 1:
        candidates.sort(key=lambda g: (agreement(begins, generations.trail_of(g)[: len(begins)]), g.number))
    return Comparison(candidates[-1].number, 0, 0)


def _agreeing_longest(begins: bytes, candidates: list[Generation], generations: Generations) -> list[Generation]:
    """Return the generation whose first lines agree for longest, the newest of equal ones; several if it takes more lines."""
    longest = -1
    found: list[tuple[Generation, bytes]] = []
    for generation in sorted(candidates, key=lambda g: -g.number):
        beginning = generations.beginning_of(generation)
        if longest == BEGINNING_LINES:
            if beginning == found[0][1]:
                found.append((generation, beginning))
        elif beginning.startswith(begins[: DIGEST_BYTES * (longest + 1)]):
            agreed = agreement(begins, beginning)
            if agreed > longest:
                longest, found = agreed, [(generation, beginning)]
    return [generation for generation, _ in found]


def trimmed(file: LogFile, generations: Generations, near: Collection[Generation]) -> Comparison | None:
    """Return the former content that a log goes on with after its first lines were deleted or changed (``trail.rejoins``).

    Raises OSError, DamagedFileError, sqlite3.Error.
    """
    if not near:
        return None
    begins = line_digests(_whole_lines(file.read_at(0, COMPARED_BYTES)))[: DIGEST_BYTES * REJOINING_LINES]
    for generation in sorted(near, key=lambda g: -g.number):
        if (place := rejoins(generations.trail_of(generation), begins)) is not None:
            return Comparison(generation.number, place, 0)
    return None


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]

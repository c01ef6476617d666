"""Compare a file, while it is read, with a content that was read before: lines that stood in that one were counted.

The file began like it, lost its beginning, or has it behind another one (files were joined). What is compared with may still
be read itself: then this file waits for it.
"""

from collections.abc import Collection, Container

from ingestor.model.generation import Comparison, Generation, Stretch
from ingestor.model.log_file import LogFile
from ingestor.model.trail import DIGEST_BYTES, Alignment, Run
from ingestor.sources.file.recognition import follows, former_of, trimmed
from ingestor.state.generations import Generations


class FormerContent:
    """What one file is compared with, if anything. ``here`` is where the next line begins, behind a hole."""

    def __init__(
        self,
        generation: Generation,
        file: LogFile,
        generations: Generations,
        *,
        sources: Container[str] | None = None,
        joined_at: int = 0,
    ) -> None:
        """Go on with what the generation is compared with. ``sources``, ``joined_at``: see ``reader.GenerationReader``.

        Raises sqlite3.Error.
        """
        self._generation = generation
        self._file = file
        self._generations = generations
        self._sources = sources
        self._joined_at = joined_at
        self._ended = generation.skipped[1] == generation.position.offset > 0
        """Whether what the file held until here has ended: what follows may be another content that is known."""
        self._alignment: Alignment | None = None
        if generation.compared is not None:
            self._compare_with(generation.compared)

    @property
    def is_compared(self) -> bool:
        """Whether the next lines may be those of a former content."""
        return self._alignment is not None

    def may_go_on(self, here: int) -> bool:
        """Tell whether the next lines can be judged: what a former content still gains must be known first.

        Raises OSError, files.DamagedFileError, sqlite3.Error.
        """
        alignment, former = self._alignment, self._generation.compared
        if alignment is None or former is None or (alignment.ended and not alignment.all_met):
            return True
        generation, reader = self._generations[former.former], self._generations.readers.get(former.former)
        if reader is not None and reader.read_to_end_at is None:
            return False  # its trail is loaded once, when it is whole
        if generation.trail.lines > alignment.lines:
            self._compare_with(former)
        if self._alignment is not None and self._alignment.all_met and self._file.read_at(here, 1):
            self._end()
            self._ended = True
        return True

    def until_another(self, chunk: bytes, offset: int, here: int, *, ends_in_rest: bool) -> bytes:
        """Return what belongs together of the bytes that come; compare them with the content that begins here, if one does.

        ``offset``: where what was read ends. ``ends_in_rest``: what comes where the file has ended now may be another content.
        """
        if offset < self._joined_at:
            return chunk[: max(0, self._joined_at - here)]
        if 0 < offset == self._joined_at or (not chunk and (ends_in_rest or self._generation.stretches)):
            self._ended, self._joined_at = True, 0
        if self._ended and b"\n" in chunk:
            self._look_what_follows(here)
        return chunk

    def find(self, near: Collection[Generation]) -> None:
        """Look for the content that the file may be compared with, now that it is known how it begins.

        ``near``: what was at its place before. Raises OSError, files.DamagedFileError, sqlite3.Error.
        """
        generation = self._generation
        if generation.file_key is None or generation.stretches or self._alignment is not None:
            return
        found = former_of(self._file, self._generations, generation.file_key, besides=generation, sources=self._sources)
        if found is not None:
            found = found._replace(position=generation.trail.lines)
        else:
            found = trimmed(self._file, self._generations, [g for g in near if g is not generation])
        if found is not None:
            if not generation.trail.lines:
                generation.h = None  # what it goes on with is told apart from the other one, where they part
            self._compare_with(found)

    def next_run(self, digests: bytes, here: int, *, more: bool, final: bool) -> Run:
        """Return the next lines that are all new or all former ones; none while that cannot be told yet.

        ``digests``: of the next lines. ``more``: nothing is to be waited for. ``final``: no more lines come.
        """
        alignment = self._compared()
        agreed = alignment.position and not alignment.unmatched
        run = self._run(digests, more=more, final=final)
        if agreed and run.former is None and self._look_what_follows(here):
            run = self._run(digests, more=more, final=final)
        return run

    def owner_of(self, line: int) -> Stretch:
        """Return whose line it is that stands at this place in the former content."""
        assert self._generation.compared is not None  # noqa: S101 - for mypy: such a line was found there
        return self._generations[self._generation.compared.former].owner_of_line(line)

    def note(self) -> None:
        """Remember how far the comparison has come."""
        alignment, former = self._alignment, self._generation.compared
        if alignment is None or former is None:
            return
        if alignment.ended and not alignment.all_met:  # what was met to its end may have grown when the file has
            self._end()
        else:
            self._generation.compared = Comparison(former.former, alignment.position, alignment.unmatched)

    def _compare_with(self, former: Comparison) -> None:
        generation = self._generations[former.former]
        breaks = [stretch.line for stretch in generation.stretches]
        trail = self._generations.trail_of(generation)
        self._alignment = Alignment(trail, former.position, former.unmatched, breaks)
        self._generation.compared = former

    def _compared(self) -> Alignment:
        assert self._alignment is not None  # noqa: S101 - for mypy: asked while it ``is_compared``
        return self._alignment

    def _end(self) -> None:
        self._generation.compared = self._alignment = None

    def _run(self, digests: bytes, *, more: bool, final: bool) -> Run:
        """Compare. Lines that agree before the first event of the former content are but a header, which other logs have too.

        They are new unless an event follows that agrees.
        """
        alignment, generation = self._compared(), self._generation
        assert generation.compared is not None  # noqa: S101 - as above
        position, unmatched = alignment.position, alignment.unmatched
        run = alignment.first_run(digests)
        if run.former is None or generation.first_event is not None:
            return run
        first_event = self._generations[generation.compared.former].first_event
        if first_event is not None and first_event < run.former + run.lines:
            generation.first_event = generation.trail.lines + max(0, first_event - run.former)
            return run
        if DIGEST_BYTES * run.lines < len(digests) or final:
            self._end()
            return Run(run.lines, None)
        if not more:
            alignment.position, alignment.unmatched = position, unmatched
            return Run(0, None)
        return run

    def _look_what_follows(self, here: int) -> bool:
        """Compare with the content that begins here, if one that is known does; return whether one does."""
        self._ended = False
        found = follows(self._file, self._generations, here, self._generation, sources=self._sources)
        if found is not None:
            self._compare_with(found)
        return found is not None

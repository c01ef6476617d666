"""How the file of a generation begins: the key by which it is found, and H, by which its points are told apart."""

from ingestor.model.generation import Generation
from ingestor.model.log_file import LogFile
from ingestor.sources.file.files import ContentChangedError, after_whole_hole
from ingestor.sources.file.matching import key_of
from ingestor.state.generations import Generations


class Beginning:
    """The beginning of one file. ``here`` is where the next line begins, behind a hole."""

    def __init__(self, generation: Generation, file: LogFile, generations: Generations) -> None:
        self._generation = generation
        self._file = file
        self._generations = generations
        self._first_line: int | None = None
        """Where the first line of the file begins, once it is needed."""

    def is_as_seen(self) -> bool:
        """Tell whether a file of which nothing was read begins as it did when it was seen. Raises OSError."""
        key = self._generation.file_key
        return key is None or key_of(self._file) == key

    def learn_key(self, here: int, *, closed: bool) -> bool:
        """Find out how the file begins once a line with a date is whole; return whether that is news.

        ``closed``: nothing more comes. Raises ContentChangedError, OSError, files.DamagedFileError.
        """
        generation = self._generation
        if generation.file_key is not None and generation.position.offset:
            return False
        if not generation.position.offset and not self.is_as_seen():
            raise ContentChangedError
        if generation.file_key is None:
            generation.file_key = key_of(self._file, self._find_first_line(here), closed=closed)
        return generation.file_key is not None

    def learn_h(self, here: int) -> None:
        """Find out H when the first line of its own with a date is there, from the bytes of the file from its first line on.

        Where another generation begins alike, from the first line on that differs: equal H would give them equal points.
        """
        generation = self._generation
        if generation.h is not None:
            return
        begin = generation.begins_at
        first = here if begin is None else begin or self._find_first_line(here)
        h = key_of(self._file, first)
        place = (generation.source, generation.host)
        if h is not None and any(g.h == h and (g.source, g.host) == place for g in self._generations.by_key(h)):
            h = key_of(self._file, here) if here > first else None
        generation.h = h

    def _find_first_line(self, here: int) -> int:
        """Return where the first line of the file begins: behind a hole that may be longer than ``key_of`` looks over."""
        if self._first_line is None:
            self._first_line = after_whole_hole(self._file, 0) if self._generation.position.offset else here
        return self._first_line

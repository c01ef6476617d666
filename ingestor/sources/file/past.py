"""What lies beside a log: in which order its files are looked at and read, and when one of them is looked for in vain."""

import logging
from collections.abc import Iterator

from ingestor.model.generation import Status
from ingestor.model.log_file import FileIdentity, shown
from ingestor.model.words import some_of
from ingestor.sources.file.beside import Beside, Candidate, look_or_none
from ingestor.sources.file.candidates import Candidates
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Place
from ingestor.sources.file.rotated import Rotated
from ingestor.sources.file.told import Asker
from ingestor.sources.file.unfinished import Unfinished

log = logging.getLogger("tokentail")


class Past:
    """The past of one log. Times are monotonic seconds."""

    def __init__(self, place: Place, beside: Beside) -> None:
        self.missing = MissingGenerations(place.generations)
        self.rotated = Rotated(place, self.missing)
        self.candidates = Candidates(place, beside, self.rotated, self.missing)
        self.unfinished = Unfinished(place, self.missing)
        self._ages: dict[FileIdentity, int] = {}
        """The order of the files beside the log at the last look."""
        self._place = place
        self._generations = place.generations
        self._beside = beside

    def look(self, now: float, *, known: bool) -> Iterator[None]:
        """Match the files beside the log with the known generations, a file at a time.

        ``known``: the live file is known, so this log was here before.
        """
        self.rotated.deleted_one = False
        self.candidates.begin_look()
        unknown: list[str] = []
        everything = bool(self.missing) or not self._place.looked
        pattern = self._place.settings.path if self._place.settings.path != self._place.path else ""
        asker = self._asker() if everything else None
        directories, live = self._place.directories(), self._place.live_paths()
        candidates = self._beside.candidates(directories, live, now, asker=asker, pattern=pattern)
        known = known or (everything and self._beside.holds_known(directories))
        listed = [candidate.path for candidate in candidates]
        strays = [
            Candidate(path, related=True)
            for path in set(self._strays()).difference(listed)
            if asker is None or not self._beside.lists(path)
        ]
        for candidate in (*strays, *candidates):
            if self.rotated.full:
                self.rotated.deleted_one = True  # what is left is opened when one of them is read
                break
            content = self.candidates.ask(candidate, now, stray=candidate in strays)
            if content is not None:
                is_new = content.same is None and content.compared is None
                known = known or not is_new
                if candidate.related and is_new:
                    unknown.append(candidate.path)
            yield
        left: list[str] = []
        for path in unknown:
            if self.candidates.take_unknown(path, now, ours=known or self._place.is_ours_from_the_start):
                left.append(shown(path))
            yield
        if left:
            log.info("Left to backfill, since rotated before the first look at %s: %s", self._place.path, some_of(left))
        self._ages = {seen.identity: age for age, path in enumerate(listed) if (seen := look_or_none(path))}
        self.rotated.sort(self._ages)
        self.candidates.unreadable.miss(
            set(listed), lambda identity: identity in self._ages or self._beside.is_there(identity, now)
        )

    def _asker(self) -> Asker:
        """Say which of the files that another log has asked are of use to this one: what it has, or looks for."""
        place, live_paths, keys = self._place, self._place.live_paths(), self.missing.keys()
        return Asker(
            place.is_live,
            lambda told: (told.generation is not None and place.has(told.generation, live_paths)) or told.key in keys,
            lambda told: told.alike == self._generations.count_by_key(told.key),
            {reader.file.identity for reader in self.rotated.readers},
        )

    def go_on(self, now: float) -> bool:
        """Open the next file that waited for one alike, now that this one is read; return whether there was any."""
        count = len(self.rotated.readers)
        while not self.rotated.full and (candidate := self.candidates.alike.next()) is not None:
            self.candidates.ask(candidate, now, stray=False)
            if len(self.rotated.readers) > count:
                self.rotated.sort(self._ages)
                return True
        return False

    def is_written_late(self) -> bool:
        """Tell whether a file that was closed lately, or left to a backfill, has grown; it is asked again then."""
        late = {seen.identity for path in self.rotated.written_late() if (seen := look_or_none(path)) is not None}
        late.update(self.candidates.leftovers.written_late())
        for identity in late:
            self._beside.settled.pop(identity, None)
        self.rotated.deleted_one = self.rotated.deleted_one or bool(late)
        return bool(late)

    def _strays(self) -> list[str]:
        """Return where open generations were last: a symlink's former target, a log that is no longer under its name."""
        known = self._place.live_paths()
        return [
            generation.path
            for generation in self._generations.of(self._place.source)
            if generation.status is Status.OPEN
            and generation.number not in self._generations.readers
            and generation.path not in known
            and not self._place.is_live(generation.path)
        ]

    def give_up(self, now: float) -> None:
        """Report as gaps what is missing for too long; not while it may be in a file that cannot be read."""
        if not self.candidates.unreadable:
            self.missing.give_up(now, self._beside.all_looked_at, self.unfinished.is_read_as_another)
        elif self._place.once:
            self.missing.forget()

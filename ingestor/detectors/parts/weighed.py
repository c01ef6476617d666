"""A surge that is weighed against what succeeds meanwhile: a busy client has failures, too."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from ingestor.detectors.parts.case import Successes
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.surge import OptionsT, Surge
from ingestor.detectors.parts.window import Window
from parsers.contract import EventRow


class Weighed(Surge[OptionsT]):
    """Its figures have ``successes`` and ``successful_users``: of this window and the one before, since the first failure, until there is an incident."""

    @abstractmethod
    def speaks_for(self, row: EventRow) -> Key:
        """Return the subject that a success speaks for, as a tuple."""

    def counts(self, row: EventRow, window: Window) -> bool:  # noqa: ARG002 - for those that look
        """Whether a success counts, seeing what failed."""
        return True

    def users(self) -> Iterator[str]:
        """Yield the users of what has failed and is no incident yet, some more than once."""
        for key in self._cases:
            case = self._cases.get(key)
            if case is not None:
                yield from (hit[3] for hit in case.window.hits)

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Count successes of subjects that are failing."""
        if not len(self._cases):
            return
        get, speaks_for, length = self._cases.get, self.speaks_for, self.window_ms(self._options)
        for row in rows:
            key = speaks_for(row)
            case = get(key)
            if case is not None and case.evidence is None and self.counts(row, case.window):
                if case.successes is None:
                    case.successes = Successes()
                case.successes.advance(row[0] // length)
                case.successes.add(row[3] or "")
                self._cases.mark(key)

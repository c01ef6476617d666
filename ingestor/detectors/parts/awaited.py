"""Incidents that wait for a success: for three hours it matters whether somebody who took part gets in."""

from collections.abc import Callable, Sequence
from typing import Final

from ingestor.detectors.parts.case import Subject
from parsers.contract import ISSUED_PREFIX, OUTCOMES, Event, EventRow

ISSUED: Final = frozenset(action for action in OUTCOMES if action.startswith(ISSUED_PREFIX))
SUCCESSES: Final = ISSUED | {"token.refreshed"}
"""Somebody has a token."""


class Awaited:
    """Looks for successes among all events of a block, each at its place between the events that a detector observes.

    Most of the time nothing is awaited, and no event is looked at.
    """

    def __init__(self, succeed: Callable[[Subject, Event], None]) -> None:
        """``succeed`` takes an incident, and a success that has its name."""
        self._succeed = succeed
        self._named: dict[str, dict[Subject, None]] = {}
        """By their key (an address, a user) or else by their client."""
        self._block: Sequence[EventRow] = ()
        self._place: int | None = None
        """Up to where in the block successes have been looked for, while any would matter."""

    def __bool__(self) -> bool:
        return bool(self._named)

    def add(self, subject: Subject) -> None:
        """Await a success of a subject."""
        self._named.setdefault(subject.key or subject.client_id, {})[subject] = None

    def drop(self, subject: Subject) -> None:
        """Await it no more."""
        name = subject.key or subject.client_id
        self._named.get(name, {}).pop(subject, None)
        if not self._named.get(name, True):
            del self._named[name]

    def begin(self, block: Sequence[EventRow]) -> None:
        """Go on to a block."""
        self._block = block
        self._place = 0 if self._named else None

    def look_up_to(self, row: EventRow) -> None:
        """Look at what comes before an event."""
        if self._place is not None:
            self._look(row)

    def look_at(self, row: EventRow) -> None:
        """Look at an event that was observed."""
        if row[2].action in SUCCESSES:
            self._look_at(row)
        if not self._named:
            self._place = None
        elif self._place is None:
            self._place = next((n for n, each in enumerate(self._block) if each is row), len(self._block)) + 1

    def end(self) -> None:
        """Look at the rest of the block."""
        if self._place is not None:
            self._look(None)
        self._block = ()

    def _look(self, until: EventRow | None) -> None:
        for number in range(self._place or 0, len(self._block)):
            row = self._block[number]
            if row is until:
                self._place = number + 1
                return
            if row[2].action in SUCCESSES:
                self._look_at(row)
        self._place = len(self._block)

    def _look_at(self, row: EventRow) -> None:
        for name in (row[2].client_id, row[4], row[3]):
            if name in self._named:
                for subject in list(self._named[name or ""]):
                    self._succeed(subject, Event(*row))

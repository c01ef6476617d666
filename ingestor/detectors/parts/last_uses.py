"""Where each user used a token last, of the newest uses: what a second use is compared with."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges
from parsers.contract import Event, EventRow, Tags

MOST_USES: Final = 16_384
"""That are remembered, at about 600 bytes each."""
MOST_PLACES: Final = 8
"""Of one user that are told apart, the newest: addresses, each with a user agent."""
_PAGE: Final = 64

_Place: TypeAlias = tuple[str | None, str | None]
"""An address and a user agent."""


class LastUses:
    """The last use of each user at each place: with each user agent, from each address.

    Uses are kept as the events that they are, since this is cheap, in pages that are written once: a dump costs what has come.
    The oldest page is forgotten first.
    """

    def __init__(self, prefix: str = "use", most: int = MOST_USES) -> None:
        """``prefix``: of the names of its pieces."""
        self._prefix = prefix
        self._most_pages = most // _PAGE
        self._page: list[EventRow] = []
        self._number = 0
        self._oldest = 0
        self._pages = {0: self._page}
        """By number."""
        self._changed: set[int] = set()
        """Numbers of other pages than the newest one."""
        self._saved = 0
        """Of the newest page so many are saved."""
        self._last: dict[str, EventRow] = {}
        """By user."""
        self._others: dict[str, dict[_Place, EventRow]] = {}
        """Of those who have several places: the last uses at the others than the last one, the newest last."""

    def note(self, rows: Iterable[EventRow]) -> None:
        """Take up the uses of events that have a user."""
        page, uses = self._page, self._last
        for row in rows:
            user = row[3]
            if not user:
                continue
            if len(page) == _PAGE:
                page = self._begin(self._number + 1)
            page.append(row)
            before = uses.get(user)
            uses[user] = row
            if before is not None and (before[4] != row[4] or before[5] != row[5]):
                others = self._others.get(user)
                if others is None:
                    others = self._others[user] = {}
                others.pop((row[4], row[5]), None)
                others[before[4], before[5]] = before
                if len(others) == MOST_PLACES:
                    del others[next(iter(others))]

    def of(self, event: Event) -> list[EventRow]:
        """Return the last uses of the event's user and client, one for each place, the newest last."""
        user, tags = event.user_id or "", event.tags
        last = self._last.get(user)
        uses = () if last is None else (*self._others.get(user, {}).values(), last)
        return [row for row in uses if row[2].client_id == tags.client_id and row[2].realm == tags.realm]

    def dump(self) -> MemoryChanges:
        """Return the pages that have changed."""
        changed, self._changed = self._changed, set()
        if len(self._page) > self._saved:
            changed.add(self._number)
            self._saved = len(self._page)
        return {f"{self._prefix}{number}": self._piece(number) for number in changed}

    def restore(self, memory: Memory) -> None:
        """Take up its pages of a detector's memory."""
        start = len(self._prefix)
        pages = {int(name[start:]): piece for name, piece in memory.items() if name.startswith(self._prefix)}
        self._pages.clear()
        self._oldest = min(pages, default=0)
        for number in sorted(pages) or [0]:
            self._begin(number)
            self.note(_rows_of(pages.get(number, b"[[],[]]")))
        self._changed.clear()
        self._saved = len(self._page)

    def _begin(self, number: int) -> list[EventRow]:
        if len(self._page) > self._saved:
            self._changed.add(self._number)
        self._number, self._page, self._saved = number, [], 0
        self._pages[number] = self._page
        while len(self._pages) > self._most_pages:
            for row in self._pages.pop(self._oldest):
                self._forget(row[3] or "", row)
            self._changed.add(self._oldest)
            self._oldest += 1
        return self._page

    def _forget(self, user: str, row: EventRow) -> None:
        if self._last.get(user) is row:
            del self._last[user]
            self._others.pop(user, None)  # they are older
        elif others := self._others.get(user):
            if others.get((row[4], row[5])) is row:
                del others[row[4], row[5]]
            if not others:
                del self._others[user]

    def _piece(self, number: int) -> bytes | None:
        page = self._pages.get(number)
        return None if page is None else _piece_of(page)


def _piece_of(page: list[EventRow]) -> bytes:
    """Return a page as JSON, each combination of realm, client and user agent once: there are few."""
    kinds: dict[tuple[str, str, str | None], int] = {}
    uses = [(kinds.setdefault((row[2][6], row[2][1], row[5]), len(kinds)), row[3], row[0], row[4]) for row in page]
    return orjson.dumps((list(kinds), uses))


def _rows_of(piece: bytes) -> Iterator[EventRow]:
    kinds, uses = orjson.loads(piece)
    for kind, user, time_ms, ip in uses:
        realm, client_id, agent = kinds[kind]
        yield time_ms, None, Tags("", client_id, "", "", "", "", realm), user, ip, agent, None, None, None, None

"""Where each user used a token last, of the newest uses: what a second use is compared with."""

from typing import Any, Final

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges
from parsers.contract import Event, EventRow, Tags

MOST_USES: Final = 16_384
"""That are remembered, at about 600 bytes each."""
MOST_AGENTS: Final = 8
"""Of one user that are told apart, the newest."""
_PAGE: Final = 64


class LastUses:
    """The last use of each user agent of each user: that of a program is compared with its own last one.

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
        self._others: dict[str, tuple[EventRow, ...]] = {}
        """Of those who have several user agents: the last uses of the others than the last one, the newest last."""

    def note(self, row: EventRow) -> None:
        """Take up the use of an event, if it has a user."""
        user = row[3]
        if user:
            page = self._page
            if len(page) == _PAGE:
                page = self._begin(self._number + 1)
            page.append(row)
            before = self._last.get(user)
            self._last[user] = row
            if before is not None and before[5] != row[5]:
                others = [each for each in self._others.get(user, ()) if each[5] != row[5]]
                self._others[user] = (*others[2 - MOST_AGENTS :], before)

    def of(self, event: Event) -> list[EventRow]:
        """Return the last uses of the event's user and client, one for each user agent, the newest last."""
        user, tags = event.user_id or "", event.tags
        last = self._last.get(user)
        uses = () if last is None else (*self._others.get(user, ()), last)
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
            for piece in orjson.loads(pages.get(number, b"[]")):
                self.note(_row_of(*piece))
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
        elif user in self._others:
            left = tuple(each for each in self._others[user] if each is not row)
            if left:
                self._others[user] = left
            else:
                del self._others[user]

    def _piece(self, number: int) -> bytes | None:
        page = self._pages.get(number)
        return None if page is None else orjson.dumps([_kept(row) for row in page])


def _kept(row: EventRow) -> list[Any]:
    return [row[2].realm, row[2].client_id, row[3], row[0], row[4], row[5]]


def _row_of(realm: str, client_id: str, user: str, time_ms: int, ip: str | None, agent: str | None) -> EventRow:
    tags = Tags("", client_id, "", "", "", "", realm)
    return time_ms, None, tags, user, ip, agent, None, None, None, None

"""Where each user used a token last, of the newest uses: what a second use is compared with."""

from collections.abc import Iterable, Iterator
from sys import intern
from typing import Final, NamedTuple, TypeAlias

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges
from parsers.contract import Event, EventRow, Tags

MOST_USES: Final = 16_384
"""That are remembered, at about 500 bytes each."""
MOST_PLACES: Final = 8
"""Of one user that are told apart, the newest: addresses, each with a user agent."""
_PAGE: Final = 64

_Entry: TypeAlias = tuple[int, str | None, str | None, str, Tags]
"""The time, address, user agent, user and tags of an event. The tags are shared by many."""
_Place: TypeAlias = tuple[str | None, str | None]
"""An address and a user agent."""


class Use(NamedTuple):
    """When (milliseconds since the Unix epoch), from which address, and with which user agent."""

    time_ms: int
    ip: str | None
    user_agent: str | None


class LastUses:
    """The last use of each user at each place: with each user agent, from each address.

    Uses are kept in pages that are written once, so that a dump costs what has come. The oldest page is forgotten first.
    """

    def __init__(self, prefix: str = "use", most: int = MOST_USES) -> None:
        """``prefix``: of the names of its pieces."""
        self._prefix = prefix
        self._most_pages = most // _PAGE
        self._page: list[_Entry] = []
        self._number = 0
        self._oldest = 0
        self._pages = {0: self._page}
        """By number."""
        self._changed: set[int] = set()
        """Numbers of other pages than the newest one."""
        self._saved = 0
        """Of the newest page so many are saved."""
        self._last: dict[str, _Entry] = {}
        """By user."""
        self._others: dict[str, dict[_Place, _Entry]] = {}
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
            ip, agent = row[4], row[5]
            entry = (row[0], ip, intern(agent) if agent else None, user, row[2])
            page.append(entry)
            before = uses.get(user)
            uses[user] = entry
            if before is not None and (before[1] != ip or before[2] != agent):
                self._leave(user, before, (ip, agent))

    def of(self, event: Event) -> list[Use]:
        """Return the last uses of the event's user and client, one for each place, the newest last."""
        user, tags = event.user_id or "", event.tags
        last = self._last.get(user)
        uses = () if last is None else (*self._others.get(user, {}).values(), last)
        return [Use(*use[:3]) for use in uses if use[4].client_id == tags.client_id and use[4].realm == tags.realm]

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

    def _leave(self, user: str, before: _Entry, now: _Place) -> None:
        """Keep what was a user's last use, who is at another place now."""
        others = self._others.get(user)
        if others is None:
            others = self._others[user] = {}
        others.pop(now, None)
        others[before[1:3]] = before
        if len(others) == MOST_PLACES:
            del others[next(iter(others))]

    def _begin(self, number: int) -> list[_Entry]:
        if len(self._page) > self._saved:
            self._changed.add(self._number)
        self._number, self._page, self._saved = number, [], 0
        self._pages[number] = self._page
        while len(self._pages) > self._most_pages:
            for entry in self._pages.pop(self._oldest):
                self._forget(entry)
            self._changed.add(self._oldest)
            self._oldest += 1
        return self._page

    def _forget(self, entry: _Entry) -> None:
        user = entry[3]
        if self._last.get(user) is entry:
            del self._last[user]
            self._others.pop(user, None)  # they are older
        elif others := self._others.get(user):
            if others.get(entry[1:3]) is entry:
                del others[entry[1:3]]
            if not others:
                del self._others[user]

    def _piece(self, number: int) -> bytes | None:
        page = self._pages.get(number)
        return None if page is None else _piece_of(page)


def _piece_of(page: list[_Entry]) -> bytes:
    """Return a page as JSON, each combination of realm, client and user agent once: there are few."""
    kinds: dict[tuple[str, str, str | None], int] = {}
    uses = [
        (kinds.setdefault((tags[6], tags[1], agent), len(kinds)), user, time_ms, ip)
        for time_ms, ip, agent, user, tags in page
    ]
    return orjson.dumps((list(kinds), uses))


def _rows_of(piece: bytes) -> Iterator[EventRow]:
    kinds, uses = orjson.loads(piece)
    kinds = [(Tags("", client_id, "", "", "", "", realm), agent) for realm, client_id, agent in kinds]
    for kind, user, time_ms, ip in uses:
        tags, agent = kinds[kind]
        yield time_ms, None, tags, user, ip, agent, None, None, None, None

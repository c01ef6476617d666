"""Where each user used a token last, of the newest uses: what a second use is compared with."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from sys import intern
from typing import Final, NamedTuple, TypeAlias

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges
from parsers.contract import Event, EventRow, Tags

MOST_USES: Final = 16_384
"""That are remembered, at about 250 bytes each."""
MOST_PLACES: Final = 8
"""Of one user that are told apart, the newest: addresses, each with a user agent."""
_PAGE: Final = 256
"""Uses. What many of them share, such as long user agents, is written once a page."""

_Entry: TypeAlias = tuple[int, str | None, str | None, str | None, Tags]
"""The time, address, user agent, user and tags of an event. The tags are shared by many."""
_Place: TypeAlias = tuple[str | None, str | None]
"""An address and a user agent."""
_entry_of: Callable[[EventRow], _Entry] = itemgetter(0, 4, 5, 3, 2)


class Use(NamedTuple):
    """When (milliseconds since the Unix epoch), from which address, and with which user agent."""

    time_ms: int
    ip: str | None
    user_agent: str | None


class LastUses:
    """The last use of each user at each place: with each user agent, from each address.

    Uses are kept in pages that are written once, so that a dump costs what has come. The oldest page is forgotten first.
    Uses come all the time, and somebody asks for them now and then: so they are kept as they come, and looked for when they are asked for.
    """

    def __init__(self, prefix: str = "use", most: int = MOST_USES) -> None:
        """``prefix``: of the names of its pieces."""
        self._prefix = prefix
        self._most_pages = most // _PAGE
        self._page: list[_Entry] = []
        self._number = 0
        self._oldest = 0
        self._pages = {0: self._page}
        """By number, oldest first."""
        self._users: dict[int, dict[str | None, list[_Entry]]] = {}
        """The uses of each user, of full pages that were looked at, by number."""
        self._changed: set[int] = set()
        """Numbers of other pages than the newest one."""
        self._saved = 0
        """Of the newest page so many are saved."""

    def note(self, rows: Iterable[EventRow]) -> None:
        """Take up the uses of events that have a user."""
        uses = [*map(_entry_of, [row for row in rows if row[3]])]
        taken = 0
        while taken < len(uses):
            if len(self._page) == _PAGE:
                self._begin(self._number + 1)
            room = _PAGE - len(self._page)
            self._page += uses[taken : taken + room]
            taken += room

    def of(self, event: Event) -> list[Use]:
        """Return the last uses of the event's user and client, one for each place, the newest last."""
        last: dict[_Place, _Entry] = {}
        for entry in self._newest_first(event.user_id):
            last.setdefault(entry[1:3], entry)
            if len(last) == MOST_PLACES:
                break
        tags = event.tags
        uses = [
            Use(*use[:3]) for use in last.values() if use[4].client_id == tags.client_id and use[4].realm == tags.realm
        ]
        return uses[::-1]

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
        self._users.clear()
        self._oldest = min(pages, default=0)
        for number in sorted(pages) or [0]:
            self._begin(number)
            self._page += _page_of(pages.get(number, b"[[],[],0,[],[],[],[],[]]"))
        self._changed.clear()
        self._saved = len(self._page)

    def _newest_first(self, user: str | None) -> Iterator[_Entry]:
        """Yield the uses of a user."""
        for number, page in reversed(self._pages.items()):
            if len(page) < _PAGE:
                yield from (entry for entry in reversed(page) if entry[3] == user)
            else:
                yield from reversed((self._users.get(number) or self._users_of(number, page)).get(user, ()))

    def _users_of(self, number: int, page: Sequence[_Entry]) -> Mapping[str | None, Sequence[_Entry]]:
        users = self._users[number] = {}
        for entry in page:
            users.setdefault(entry[3], []).append(entry)
        return users

    def _begin(self, number: int) -> None:
        if len(self._page) > self._saved:
            self._changed.add(self._number)
        self._number, self._page, self._saved = number, [], 0
        self._pages[number] = self._page
        while len(self._pages) > self._most_pages:
            del self._pages[self._oldest]
            self._users.pop(self._oldest, None)
            self._changed.add(self._oldest)
            self._oldest += 1

    def _piece(self, number: int) -> bytes | None:
        page = self._pages.get(number)
        return None if page is None else _piece_of(page)


def _piece_of(page: Sequence[_Entry]) -> bytes:
    """Return a page as JSON, by columns; each client and each user agent once, since there are few."""
    times, ips, agents, users, all_tags = zip(*page, strict=True)
    clients = {tags: number for number, tags in enumerate(dict.fromkeys(all_tags))}
    programs = {agent: number for number, agent in enumerate(dict.fromkeys(agents))}
    first = min(times)
    return orjson.dumps(
        (
            [(tags.realm, tags.client_id) for tags in clients],
            list(programs),
            first,
            [time_ms - first for time_ms in times],
            [*map(clients.__getitem__, all_tags)],
            [*map(programs.__getitem__, agents)],
            ips,
            users,
        )
    )


def _page_of(piece: bytes) -> Iterator[_Entry]:
    clients, programs, first, *columns = orjson.loads(piece)
    tags = [Tags("", client_id, "", "", "", "", realm) for realm, client_id in clients]
    agents = [intern(agent) if agent else agent for agent in programs]
    for since, client, program, ip, user in zip(*columns, strict=True):
        yield first + since, ip, agents[program], user, tags[client]

"""Profiles of many users are read with tokens that were stolen (RFC 9700 section 4.10: access tokens that leak are used by others)."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.known import Known
from ingestor.detectors.parts.last_uses import LastUses
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.origin import network_of
from ingestor.detectors.parts.settled import DAY_MS
from ingestor.detectors.parts.surge import MINUTE_MS, SUCCESSES, Subject, Surge
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow

MOST_USES: Final = 4_096
"""That are remembered: of eight times as many."""
SHARE: Final = 8
"""One user in so many is looked at, chosen by a hash: that costs, and remembers, an eighth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserinfoScrapingOptions(Options):
    """How many users are many."""

    users: int = 100
    """So many different users, by estimate (at most 512)."""
    window_minutes: int = 60
    """Within so many minutes."""


class UserinfoScraping(Surge[UserinfoScrapingOptions]):
    """Finds it by client: UserInfo is asked for many users, from where neither they got their tokens nor the client was the day before. Medium.

    So a server that asks for its users, an office with many of them, and an API that looks at each token this way are quiet: they
    were there before. Only one user in eight is looked at; numbers of users and events are estimates.

    Blind: during the first day, to who reads few profiles, to networks where the client's users are, and where the log does not say
    whose profile was read, or when the user got the token.
    """

    name = "userinfo_scraping"
    version = "3"
    title = "Profiles of many users are read from elsewhere"
    learns_from = SUCCESSES
    actions = frozenset({"token.userinfo_accessed"}) | learns_from
    options = UserinfoScrapingOptions
    thresholds = ("users",)
    raised_by_success = False
    each_stands_for = SHARE

    def __init__(self, options: UserinfoScrapingOptions) -> None:
        super().__init__(options)
        self._uses = LastUses(most=MOST_USES)
        self._known = Known()
        self.parts = (*self.parts, self._uses, self._known)

    def observe(self, observed: ObservedEvents) -> Sequence[Finding]:
        """Return the incidents that are new or have grown."""
        chosen = {user for user in {row[3] for row in observed.events} if user and _is_chosen(user)}
        events = [row for row in observed.events if row[3] in chosen]
        return super().observe(observed._replace(events=events)) if events else ()

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Remember where users got their tokens, and clients theirs."""
        self._uses.note(rows)
        for row in rows:
            if row[4]:
                self._note(row[2].realm, row[2].client_id, network_of(row[4]), row[0])

    def subject_of(self, event: Event) -> Subject | None:
        """Return the client, unless the user or the client has been at this place."""
        tags, ip = event.tags, event.ip
        if not ip or not tags.client_id:
            return None
        here = network_of(ip)
        is_strange = self._is_old((tags.realm, tags.client_id), event) and not self._is_old(
            (tags.realm, tags.client_id, here), event
        )
        self._note(tags.realm, tags.client_id, here, event.time_ms)
        uses = self._uses.of(event) if is_strange else ()
        is_elsewhere = bool(uses) and all(use.ip is not None and network_of(use.ip) != here for use in uses)
        return Subject(tags.realm, tags.client_id) if is_elsewhere else None

    def severity_of(self, figures: Figures, options: UserinfoScrapingOptions) -> Severity | None:
        """Return medium for many users."""
        return Severity.MEDIUM if figures.users * SHARE >= options.users else None

    def window_ms(self, options: UserinfoScrapingOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS

    def _note(self, realm: str, client_id: str, network: str, time_ms: int) -> None:
        self._known.note((realm, client_id), time_ms)
        self._known.note((realm, client_id, network), time_ms)

    def _is_old(self, key: Key, event: Event) -> bool:
        since = self._known.since(key)
        return since is not None and event.time_ms - since >= DAY_MS


@functools.lru_cache(8192)
def _is_chosen(user: str) -> bool:
    return not crc32(user.encode()) % SHARE


DETECTOR = UserinfoScraping

"""The corpus as Keycloak's JSON log, and what its parser makes of that log again.

The lines are written as those of ``tokentail demo --provider keycloak``. README.md beside this says what such a log cannot carry.
"""

import random
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from bench.abuse.attacks import Attack
from bench.abuse.events import DAY_MS
from bench.abuse.quiet import CLIENTS
from ingestor.demo.providers.contract import Line
from ingestor.demo.providers.keycloak import lines as lines_of
from ingestor.demo.traffic import Operation
from parsers.contract import Event, EventRow, events_of
from parsers.keycloak import KeycloakParser

_DISTINCT: Final = 41_000
"""So many lines get times of their own below one millisecond."""
_NOT_LOGGED: Final = frozenset({"server_error", "temporarily_unavailable"})
"""What is answered while the database is away, and to who asks too often: Keycloak has no event of either."""
_USUAL_GRANT: Final = {"invalid_client": "client_credentials", "expired_token": "refresh_token"}
"""Of failures whose grant the corpus does not tell, by their error."""


class _Unknown:
    """Names of clients that Keycloak does not know: those that the quiet weeks do not have."""

    def __contains__(self, client: object) -> bool:
        return client not in CLIENTS


_STRANGERS: Final = _Unknown()


class Logged(NamedTuple):
    """An attack as its log shows it."""

    attack: Attack
    """With the parser's events, of which there may be none."""
    lines: list[Line]
    is_shown: bool
    """Whether one of its lines says what is done, and names a client, a user or an address."""

    def label(self) -> dict[str, Any]:
        """Return what to hold findings against. Keycloak's events have no ids, so they are named by their times in the log."""
        label = self.attack.label()
        del label["event_ids"]
        return label | {"shown": self.is_shown, "timestamps": [line.key for line in self.lines]}


class KeycloakLog:
    """Keycloak's log of a corpus. Equal arguments, equal bytes."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._numbers = count()

    def lines(self, rows: Iterable[EventRow]) -> list[Line]:
        """Return what Keycloak logs of events, in their order."""
        return [line for row in rows for line in self._lines(row)]

    def logged(self, attack: Attack) -> Logged:
        """Return what is logged of an attack."""
        lines = self.lines(attack.rows)
        rows, actions = parsed(lines), {row[2].action for row in attack.rows}
        is_shown = any(row[2].action in actions and (row[2].client_id or row[3] or row[4]) for row in rows)
        return Logged(attack._replace(rows=rows), lines, is_shown)

    def _lines(self, row: EventRow) -> Sequence[Line]:
        event = Event(*row)
        tags = event.tags
        if tags.error in _NOT_LOGGED:
            return ()
        grant = tags.grant_type or (_USUAL_GRANT.get(tags.error) if tags.endpoint == "token" else None)
        operation = Operation(
            time_ms=event.time_ms,
            action=tags.action,
            client=tags.client_id,
            endpoint=tags.endpoint,
            user=event.user_id,
            address=event.ip or "",
            agent="",
            grant_type=grant,
            scopes=tuple(event.scopes.split()) if event.scopes else None,
            error=tags.error or None,
        )
        return lines_of(operation, next(self._numbers) % _DISTINCT, self._rng, _STRANGERS)


def parsed(lines: Sequence[Line]) -> list[EventRow]:
    """Return the events that the parser makes of lines. Raises ValueError when it makes none of one."""
    if not lines:
        return []
    data = b"".join(line.data for line in lines).removesuffix(b"\n")
    rows = [row for outcome in KeycloakParser().parse(data, lines[-1].time_ms + DAY_MS) for row in events_of(outcome)]
    if len(rows) != len(lines):
        raise ValueError(f"of {len(lines)} lines {len(rows)} are events")
    return rows

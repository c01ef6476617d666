"""Events grouped and added up: the statements that ask InfluxDB for it, and how their answers are read (pure).

InfluxQL groups by tags alone. Clients beyond their budget share the tag ``_other``, with the true id in a field, so their
events are listed and told apart here; all others are grouped by the server.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from ingestor.model.periods import SECOND
from ingestor.model.points import OTHER
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.read.influxql import (
    ADMITTED,
    OVERFLOW,
    columns,
    equal,
    of_client,
    on_events,
    on_tags,
    where,
)
from ingestor.stores.influxdb.read.results import Table
from ingestor.stores.influxdb.read.retention import Parts

CLIENT: Final = "client_id"


class GroupedCount(NamedTuple):
    """Some events that are alike in what was asked for. There may be several for the same."""

    time: int
    """Start of the unit of time, on the clocks there: nanoseconds, local."""
    tags: dict[str, str]
    """Those that were asked for; empty text for an absent one."""
    client: str | None
    """The true client id, where the tag is ``_other``."""
    events: int
    lifetime_sum: int
    lifetime_count: int


class Values(NamedTuple):
    """What is added up, in the raw events (``listed`` one by one) and in the counters."""

    grouped: str
    listed: str
    counted: str


EVENTS: Final = Values('sum("events")', '"client", "events"', 'sum("events")')
LIFETIMES: Final = Values(
    'sum("events"), sum("expires_in"), count("expires_in")',
    '"client", "events", "expires_in"',
    'sum("events"), sum("lifetime_sum"), sum("lifetime_count")',
)


class Grouping(NamedTuple):
    """By what events are grouped."""

    tags: tuple[str, ...] = ()
    unit: int = 0
    """A length of time in nanoseconds, from midnight on the clocks there; 0: all times are one group."""

    def sql(self, offset: int) -> str:
        """Return the clause; ``offset``: what the clocks are ahead of UTC."""
        time = [f"time({self.unit // SECOND}s, {-offset // SECOND % (self.unit // SECOND)}s)"] if self.unit else []
        by = ", ".join([*time, columns(self.tags)] if self.tags else time)
        return f" GROUP BY {by}{' fill(none)' if self.unit else ''}" if by else ""

    def start(self, time: int, offset: int) -> int:
        """Return the start of the unit that a time is in, on the clocks there."""
        return (time + offset) // self.unit * self.unit if self.unit else 0


class Statement(NamedTuple):
    """A statement and how a table of its answer is read."""

    text: str
    read: Callable[[Table], Iterator[GroupedCount]]


class Sources(NamedTuple):
    """What stands behind FROM."""

    events: str
    hours: str


Clocks = Callable[[Period], Iterable[tuple[int, Period]]]
"""Cuts a period into pieces in which the clocks are ahead of UTC by as much (``periods.offsets``)."""


def statements(
    sources: Sources, parts: Parts, filters: Filters, values: Values, grouping: Grouping, clocks: Clocks
) -> list[Statement]:
    """Return the statements whose tallies, all together, are the answer."""
    asked = []
    for offset, piece in clocks(parts.counted):
        conditions = on_tags(filters) + ([] if filters.client is None else [equal(CLIENT, filters.client)])
        text = f"SELECT {values.counted} FROM {sources.hours} {where(piece, conditions)}{grouping.sql(offset)}"
        asked.append(Statement(text, partial(_grouped, grouping, offset, None)))
    grouped, listed = _of_clients(filters.client, told_apart=CLIENT in grouping.tags)
    by_tags = grouping._replace(unit=0).sql(0)
    for offset, piece in clocks(parts.raw):
        of_piece = where(piece, on_events(filters))
        if grouped is not None:
            text = f"SELECT {values.grouped} FROM {sources.events} {of_piece}{grouped}{grouping.sql(offset)}"
            asked.append(Statement(text, partial(_grouped, grouping, offset, filters.client)))
        if listed is not None:
            text = f"SELECT {values.listed} FROM {sources.events} {of_piece}{listed}{by_tags}"
            asked.append(Statement(text, partial(_listed, grouping, offset)))
    return asked


def _of_clients(client: str | None, *, told_apart: bool) -> tuple[str | None, str | None]:
    """Return the conditions on the client of the events that the server groups, and of those that it lists."""
    if not told_apart:
        return "" if client is None else f" AND {of_client(client)}", None
    if client is None:
        return f" AND {ADMITTED}", f" AND {OVERFLOW}"
    if client == OTHER:
        return None, f" AND {OVERFLOW}"
    return f" AND {of_client(client)}", None


def _grouped(grouping: Grouping, offset: int, client: str | None, table: Table) -> Iterator[GroupedCount]:
    # What a client filter finds under the tag `_other` is of that client.
    true_client = client if table.tags.get(CLIENT) == OTHER else None
    for time, events, *lifetimes in table.rows:
        if events:
            lifetime_sum, lifetime_count = lifetimes or (0, 0)
            start = grouping.start(time, offset)
            yield GroupedCount(start, table.tags, true_client, events, lifetime_sum or 0, lifetime_count or 0)


def _listed(grouping: Grouping, offset: int, table: Table) -> Iterator[GroupedCount]:
    for time, client, events, *lifetimes in table.rows:
        lifetime = lifetimes[0] if lifetimes else None
        start = grouping.start(time, offset)
        yield GroupedCount(start, table.tags, client, events, lifetime or 0, int(lifetime is not None))

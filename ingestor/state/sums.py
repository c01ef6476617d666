"""How many events the state says there are: its counters added up by source, host and unit of time, and by source alone."""

import sqlite3
from collections import Counter

from ingestor.model.agreement import Cell
from ingestor.model.questions import Period
from parsers.text import normal_tag


def counted_sums(connection: sqlite3.Connection, period: Period, unit: int) -> Counter[Cell]:
    """Return the events that are counted. ``unit``: nanoseconds, whole quarters of an hour; the period consists of such."""
    sums: Counter[Cell] = Counter()
    for start, source, host, events in connection.execute(
        "SELECT time - time % ?, source, host, sum(events) FROM token_totals_15m JOIN total_series ON number = series"
        " WHERE time >= ? AND time < ? GROUP BY 1, 2, 3",
        (unit, period.since, period.until),
    ):
        sums[Cell(normal_tag(source), normal_tag(host), start)] += events
    return sums


def hosts(connection: sqlite3.Connection) -> list[str]:
    """Return the hosts under which anything was counted."""
    return [host for (host,) in connection.execute("SELECT DISTINCT host FROM total_series ORDER BY host")]


def embedded_events(connection: sqlite3.Connection) -> int:
    """Return how many events the embedded store holds. It reads no event: a second for five millions."""
    found: int = connection.execute("SELECT count(*) FROM token_events").fetchone()[0]
    return found


def embedded_by_source(connection: sqlite3.Connection) -> Counter[str]:
    """Return how many events the embedded store holds of each source. It walks all of them, and takes its time."""
    return Counter(
        dict(
            connection.execute(
                "SELECT source, sum(events) FROM (SELECT series, count(*) AS events FROM token_events GROUP BY series)"
                " JOIN series ON number = series GROUP BY source"
            )
        )
    )

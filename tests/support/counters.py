"""The counters of the state, row by row, and the same in plain Python: sums alone would let an action's error cancel another's."""

import sqlite3
from collections.abc import Iterable
from typing import Final, TypeAlias

from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Series, TotalSeries
from tests.support.generated import Sample

Counters: TypeAlias = dict[str, dict[tuple[int | str, ...], tuple[int, ...]]]
"""By table: what a row is about, and what it says. Rows that say nothing but zeros are left out: some stores leave them."""

_TAGS: Final = ",".join(Series._fields)
_TOTAL_TAGS: Final = ",".join(TotalSeries._fields)
_SUMS: Final = "events,lifetime_sum,lifetime_count"
_QUESTIONS: Final = {
    "token_events_1h": (f"SELECT time,{_TAGS},{_SUMS} FROM token_events_1h JOIN series ON number = series", 3),
    "token_totals_15m": (
        f"SELECT time,{_TOTAL_TAGS},{_SUMS} FROM token_totals_15m JOIN total_series ON number = series",
        3,
    ),
    "token_users_1d": ("SELECT time,user_id,source,host,events,issued,refreshed,failed FROM token_users_1d", 4),
}
"""By table: what asks for its rows, and how many columns of them are sums."""


def counters_in(connection: sqlite3.Connection) -> Counters:
    """Return what the counters of a state say."""
    return {
        table: {row[:-sums]: row[-sums:] for row in connection.execute(question) if any(row[-sums:])}
        for table, (question, sums) in _QUESTIONS.items()
    }


def counters_of(samples: Iterable[Sample]) -> Counters:
    """Return what the counters must say of these events."""
    found: Counters = {table: {} for table in _QUESTIONS}

    def add(table: str, key: tuple[int | str, ...], *added: int) -> None:
        rows = found[table]
        rows[key] = tuple(map(sum, zip(rows.get(key, (0,) * len(added)), added, strict=True)))

    for sample in samples:
        time, tags, user, lifetime = sample.time, sample.series, sample.fields["user_id"], sample.fields["expires_in"]
        sums = (1, lifetime or 0, int(lifetime is not None))
        add("token_events_1h", (time - time % HOUR_NS, *tags), *sums)
        add("token_totals_15m", (time - time % QUARTER_HOUR, *tags.of_all_clients()), *sums)
        if user is not None:
            kinds = (
                tags.action.startswith("token.issued."),
                tags.action == "token.refreshed",
                tags.outcome == "failure",
            )
            add("token_users_1d", (time - time % DAY_NS, user, tags.source, tags.host), 1, *map(int, kinds))
    return found

"""What detectors found and remember, in the state's SQLite file: it moves in the transaction of the positions.

The findings here are what is true, whichever the store. A store in another place is sent those with a mark, and takes the
mark off once it has them.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ingestor.model.finding import StoredFinding, wakes
from ingestor.model.finding_words import sources
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.questions import Period

_COLUMNS: Final = ",".join(StoredFinding._fields)
_TAGS: Final = {"client_id", "host", "realm", "client"}
"""What a finding keeps when it grows, since it is the point's identity, or goes with that."""
_GROWS: Final = ",".join(f"{name}=excluded.{name}" for name in StoredFinding._fields[2:] if name not in _TAGS)
_SAVE: Final = (
    f"INSERT INTO token_findings({_COLUMNS}) VALUES({','.join('?' * len(StoredFinding._fields))})"
    f" ON CONFLICT DO UPDATE SET {_GROWS}"
)
_BEFORE: Final = "SELECT severity, raised, raised_from FROM token_findings WHERE time = ? AND pattern = ?"
_TOLD_ALONE: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM token_findings WHERE raised >= ? AND raised_from IS NOT NULL LIMIT ?)"
)
MOST_TOLD_ALONE: Final = 10
"""Findings in an hour that are told of one by one; those beyond are told of together, by pattern and client."""
_NAMED: Final = 3
"""Addresses that a notification names."""
_HOUR_MS: Final = 3_600_000


def save_findings(
    connection: sqlite3.Connection, findings: Iterable[StoredFinding], mark: int | None = None
) -> Counter[str]:
    """Save findings that are new or have grown, inside the caller's transaction; return how many came to each severity.

    With a ``mark``, a number that grows, note them. One that only grows keeps the time at which it came to its severity.
    """
    raised: Counter[str] = Counter()
    now_ms = time.time_ns() // MILLISECOND_SLOTS
    for finding in findings:
        before = connection.execute(_BEFORE, finding[:2]).fetchone()
        if before is not None and before[0] == finding.severity:
            saved = finding._replace(raised=before[1], raised_from=before[2])
        else:
            saved = _raised(connection, finding._replace(raised=now_ms))
            raised[finding.severity] += 1
        connection.execute(_SAVE, saved)
        if mark is not None:
            connection.execute("REPLACE INTO unwritten_findings VALUES(?,?,?)", (*finding[:2], mark))
    return raised


def _raised(connection: sqlite3.Connection, finding: StoredFinding) -> StoredFinding:
    """Return a finding that has just come to its severity with its addresses in words, if it is told of alone.

    So are the first ten of an hour of the clock: nobody reads more, and each costs InfluxDB a series.
    """
    if not wakes(finding):
        return finding
    hour = finding.raised // _HOUR_MS * _HOUR_MS
    (count,) = connection.execute(_TOLD_ALONE, (hour, MOST_TOLD_ALONE)).fetchone()
    return finding._replace(raised_from=sources(finding, _NAMED)) if count < MOST_TOLD_ALONE else finding


def mark_all(connection: sqlite3.Connection, mark: int) -> None:
    """Have every finding be sent again, inside the caller's transaction."""
    connection.execute("REPLACE INTO unwritten_findings SELECT time, pattern, ? FROM token_findings", (mark,))


def read_findings(connection: sqlite3.Connection, period: Period) -> Iterator[StoredFinding]:
    """Yield the findings of which something happened in a period: those with the newest events first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM token_findings WHERE last_seen >= ? AND time < ? ORDER BY last_seen DESC, time DESC, pattern",
        (period.since // MILLISECOND_SLOTS, period.until),
    )
    return (StoredFinding(*row) for row in rows)


def findings_of_id(connection: sqlite3.Connection, written: str) -> list[StoredFinding]:
    """Return the findings with this id: one, none, or hardly ever several."""
    pattern = written.rpartition("-")[0]
    rows = connection.execute(f"SELECT {_COLUMNS} FROM token_findings WHERE pattern = ?", (pattern,))
    return [finding for row in rows if (finding := StoredFinding(*row)).id == written]


def found_patterns(connection: sqlite3.Connection) -> list[str]:
    """Return the patterns of which there are findings, also of detectors that are there no more."""
    return [pattern for (pattern,) in connection.execute("SELECT DISTINCT pattern FROM token_findings ORDER BY 1")]


def count_since(connection: sqlite3.Connection, since_ms: int) -> dict[str, int]:
    """Return how many findings of each severity had an event since then (milliseconds)."""
    counted = "SELECT severity, count(*) FROM token_findings WHERE last_seen >= ? GROUP BY severity"
    return dict(connection.execute(counted, (since_ms,)))


def unwritten_findings(connection: sqlite3.Connection, most: int) -> list[tuple[int, StoredFinding]]:
    """Return findings that the store has not got, with their marks, oldest first."""
    rows = connection.execute(
        f"SELECT mark, {_COLUMNS} FROM unwritten_findings JOIN token_findings USING(time, pattern)"
        " ORDER BY time, pattern LIMIT ?",
        (most,),
    )
    return [(mark, StoredFinding(*finding)) for mark, *finding in rows]


def acknowledge_findings(connection: sqlite3.Connection, written: Iterable[tuple[int, StoredFinding]]) -> None:
    """Take off the marks of what the store has got, unless it has grown meanwhile; inside the caller's transaction."""
    connection.executemany(
        "DELETE FROM unwritten_findings WHERE time = ? AND pattern = ? AND mark = ?",
        [(finding.time, finding.pattern, mark) for mark, finding in written],
    )


def forget_findings(connection: sqlite3.Connection, before: int) -> None:
    """Delete findings that began before this time (nanoseconds), inside the caller's transaction."""
    connection.execute("DELETE FROM token_findings WHERE time < ?", (before,))
    connection.execute("DELETE FROM unwritten_findings WHERE time < ?", (before,))


def save_memory(connection: sqlite3.Connection, changes: Mapping[tuple[str, str], bytes | None]) -> None:
    """Save what detectors remember, by detector and name of the piece, inside the caller's transaction."""
    gone = [piece for piece, value in changes.items() if value is None]
    connection.executemany("DELETE FROM detector_memory WHERE detector = ? AND key = ?", gone)
    kept = [(*piece, value) for piece, value in changes.items() if value is not None]
    connection.executemany("REPLACE INTO detector_memory VALUES(?,?,?)", kept)


def load_memory(connection: sqlite3.Connection, detector: str) -> dict[str, bytes]:
    """Return what a detector remembered at the last checkpoint."""
    return dict(connection.execute("SELECT key, value FROM detector_memory WHERE detector = ?", (detector,)))


def keep_memory_of(connection: sqlite3.Connection, versions: Mapping[str, str]) -> None:
    """Drop what other detectors remembered, or other versions of these, inside the caller's transaction.

    ``versions``: of the detectors there are, by name.
    """
    for name, version in noted_versions(connection).items():
        if versions.get(name) != version:
            connection.execute("DELETE FROM detector_memory WHERE detector = ?", (name,))
            connection.execute("DELETE FROM detectors WHERE detector = ?", (name,))
    connection.executemany("INSERT OR IGNORE INTO detectors VALUES(?,?)", versions.items())


def noted_versions(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the versions of the detectors whose memory is here, by name."""
    return dict(connection.execute("SELECT detector, version FROM detectors"))

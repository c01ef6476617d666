"""The upgrades of the state's database, by number: what each one changes of the schema that stood before it.

An upgrade is never altered once it has been released: states that have had it would not get the change. To change the
schema, add the next number to ``UPGRADES``: SQL statements, or a function where SQL cannot say it. A new state takes the
same way from nothing, so the newest schema is written down nowhere else.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Final

Upgrade = str | Callable[[sqlite3.Connection], None]
"""Statements of SQL, or a function. A function gets the open transaction: it neither begins nor commits."""

_FIRST: Final = """
-- IF NOT EXISTS stands in this one only: versions before numbered upgrades made the tables one by one and then stamped the
-- number, so a crash left some of them, empty, in a file without a number.
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations(
  number INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  h BLOB, offset INTEGER NOT NULL, head_length INTEGER NOT NULL, head_digest BLOB NOT NULL, tail_length INTEGER NOT NULL,
  tail_digest BLOB NOT NULL, ordinal INTEGER NOT NULL, size_seen INTEGER NOT NULL, status TEXT NOT NULL,
  segments TEXT NOT NULL, skipped_from INTEGER NOT NULL, skipped_to INTEGER NOT NULL, rules TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts(
  source TEXT PRIMARY KEY, read INTEGER NOT NULL, stored INTEGER NOT NULL, ignored INTEGER NOT NULL,
  expired INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected_by_reason(
  source TEXT NOT NULL, reason TEXT NOT NULL, lines INTEGER NOT NULL, PRIMARY KEY(source, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS admitted(
  source TEXT NOT NULL, realm TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
  by_success INTEGER NOT NULL, PRIMARY KEY(source, realm, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, generation INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER, found_at REAL NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replayed(
  generation INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY(generation, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves(
  number INTEGER PRIMARY KEY, outdated TEXT NOT NULL, body BLOB NOT NULL, times TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, created REAL NOT NULL,
  started REAL, finished REAL, answer TEXT);

-- The counters. `series.number` is local to this file; the tag set identifies. An absent tag is an empty string, as in
-- `Series`. `total_series` numbers the tag sets of all clients together, which `token_totals_15m` is about, apart from those.
-- `unwritten_...`: what InfluxDB has not got yet. `tagged_users`: the users whose counters have a series of their own there,
-- and its tag, which is not always the user id: a tag holds less than a field.
CREATE TABLE IF NOT EXISTS series(
  number INTEGER PRIMARY KEY,
  action TEXT NOT NULL DEFAULT '', client_id TEXT NOT NULL DEFAULT '', endpoint TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '', grant_type TEXT NOT NULL DEFAULT '', host TEXT NOT NULL DEFAULT '',
  outcome TEXT NOT NULL DEFAULT '', realm TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS token_events_1h(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  events INTEGER NOT NULL, lifetime_sum INTEGER NOT NULL, lifetime_count INTEGER NOT NULL,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total_series(
  number INTEGER PRIMARY KEY,
  action TEXT NOT NULL, endpoint TEXT NOT NULL, error TEXT NOT NULL, grant_type TEXT NOT NULL, host TEXT NOT NULL,
  outcome TEXT NOT NULL, realm TEXT NOT NULL, source TEXT NOT NULL,
  UNIQUE(action, endpoint, error, grant_type, host, outcome, realm, source));
CREATE TABLE IF NOT EXISTS token_totals_15m(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  events INTEGER NOT NULL, lifetime_sum INTEGER NOT NULL, lifetime_count INTEGER NOT NULL,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token_users_1d(
  time INTEGER NOT NULL, user_id TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL,
  events INTEGER NOT NULL, issued INTEGER NOT NULL, refreshed INTEGER NOT NULL, failed INTEGER NOT NULL,
  PRIMARY KEY(time, user_id, source, host)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unwritten_hours(
  time INTEGER NOT NULL, series INTEGER NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unwritten_totals(
  time INTEGER NOT NULL, series INTEGER NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unwritten_users(
  time INTEGER NOT NULL, user_id TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL, mark INTEGER NOT NULL,
  PRIMARY KEY(time, user_id, source, host)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tagged_users(
  source TEXT NOT NULL, user_id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY(source, user_id),
  UNIQUE(source, tag)) WITHOUT ROWID;

-- The embedded store.
CREATE TABLE IF NOT EXISTS token_events(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  user_id TEXT, ip TEXT, user_agent TEXT, scopes TEXT, client TEXT, expires_in INTEGER,
  fraction TEXT, event_id TEXT, error_detail TEXT,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_events_client ON token_events(time, client) WHERE client IS NOT NULL;
"""

_CONTENT: Final = """
-- Files are told by their content over all sources: how the file of a generation begins (`file_key`), whose its lines are
-- (`stretches`), with what it is still compared, and a digest of each of its lines (`trails`).
ALTER TABLE generations ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE generations ADD COLUMN file_key BLOB;
ALTER TABLE generations ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN stretches TEXT NOT NULL DEFAULT '[]';
ALTER TABLE generations ADD COLUMN compared TEXT NOT NULL DEFAULT '';
ALTER TABLE generations ADD COLUMN first_event INTEGER;
ALTER TABLE generations ADD COLUMN sealed_ns INTEGER NOT NULL DEFAULT 0;
UPDATE generations SET lines = ordinal, file_key = h, host = coalesce((SELECT value FROM meta WHERE key = 'host'), '');
CREATE TABLE trails(
  generation INTEGER NOT NULL, part INTEGER NOT NULL, digests BLOB NOT NULL, PRIMARY KEY(generation, part)) WITHOUT ROWID;
"""

_ACKNOWLEDGED: Final = """
-- What InfluxDB acknowledged lately, since it may lose it when it is killed (`recently_acknowledged`, lines as they were sent;
-- `recently_published`, hours of counters, a day standing for its first hour), and how its sums compared with ours, by day.
-- `first`, `last`: of the points' times, nanoseconds. `size`: bytes of `lines`, which zstandard has packed.
CREATE TABLE recently_acknowledged(
  number INTEGER PRIMARY KEY, at REAL NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, points INTEGER NOT NULL,
  size INTEGER NOT NULL, lines BLOB NOT NULL);
CREATE TABLE recently_published(hour INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE compared_days(
  source TEXT NOT NULL, host TEXT NOT NULL, day INTEGER NOT NULL, counted INTEGER NOT NULL, found INTEGER NOT NULL,
  PRIMARY KEY(source, host, day)) WITHOUT ROWID;
"""

_FINDINGS: Final = """
-- What detectors found and remember. `unwritten_findings`: those that InfluxDB has not got, with the number of the change.
CREATE TABLE token_findings(
  time INTEGER NOT NULL, pattern TEXT NOT NULL, client_id TEXT NOT NULL, host TEXT NOT NULL, realm TEXT NOT NULL,
  severity TEXT NOT NULL, events INTEGER NOT NULL, last_seen INTEGER NOT NULL, client TEXT, user_id TEXT,
  ips TEXT, clients TEXT, user_agents TEXT, event_ids TEXT, PRIMARY KEY(time, pattern)) WITHOUT ROWID;
CREATE TABLE unwritten_findings(
  time INTEGER NOT NULL, pattern TEXT NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(time, pattern)) WITHOUT ROWID;
CREATE TABLE detectors(detector TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE detector_memory(
  detector TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(detector, key)) WITHOUT ROWID;
"""

_EVENTS_OF_A_LINE: Final = """
-- How many events a line of a generation has become at most: where to look for them when other rules make fewer of it.
ALTER TABLE generations ADD COLUMN most_events INTEGER NOT NULL DEFAULT 1;
"""

_RAISED: Final = """
-- When a finding came to its severity, by the clock of the machine, milliseconds: whom it has to wake goes by that. The time of a
-- finding is that of its first event, which may be long ago. `raised_from`: the addresses at that time, in words; absent where
-- it is told of with others.
ALTER TABLE token_findings ADD COLUMN raised INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token_findings ADD COLUMN raised_from TEXT;
CREATE INDEX token_findings_told ON token_findings(raised) WHERE raised_from IS NOT NULL;
"""

UPGRADES: Final[Mapping[int, Upgrade]] = {
    1: _FIRST,
    2: _CONTENT,
    3: _ACKNOWLEDGED,
    4: _FINDINGS,
    5: _EVENTS_OF_A_LINE,
    6: _RAISED,
}
"""By the schema that each one leads to, from the one before; 0 is an empty file. ``PRAGMA user_version`` holds the number."""

SCHEMA_VERSION: Final = max(UPGRADES)
"""The schema that this version reads and writes."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema of a database; 0 for one that is empty. Raises sqlite3.Error."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def upgrade(connection: sqlite3.Connection, upgrades: Mapping[int, Upgrade] = UPGRADES) -> int:
    """Bring a database to the newest schema, each upgrade in a transaction of its own; return the schema it had.

    ``connection`` is in autocommit mode, and no other process writes. What fails, or is cut off, leaves the schema before it
    whole. Raises sqlite3.Error, and what a function raises.
    """
    found = version_of(connection)
    for number in range(found + 1, max(upgrades) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            _apply(connection, upgrades[number])
            connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return found


def _apply(connection: sqlite3.Connection, change: Upgrade) -> None:
    if callable(change):
        change(connection)
        return
    for statement in _statements(change):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """Split a script: ``executescript`` would commit what is open."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip(" \n;"):
        raise ValueError(f"the last statement of an upgrade has no end: {statement.strip()[:60]}")

"""The tables of what InfluxDB has acknowledged, and of what was found of it."""

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS recently_acknowledged(
  number INTEGER PRIMARY KEY, at REAL NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, points INTEGER NOT NULL,
  size INTEGER NOT NULL, lines BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recently_published(hour INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS compared_days(
  source TEXT NOT NULL, host TEXT NOT NULL, day INTEGER NOT NULL, counted INTEGER NOT NULL, found INTEGER NOT NULL,
  PRIMARY KEY(source, host, day)) WITHOUT ROWID;
"""
"""``first``, ``last``: of the points' times, nanoseconds. ``size``: bytes of ``lines``, which zstandard has packed.
``hour``: the start of an hour of which counters were published, nanoseconds; a day stands for its first hour.
``compared_days``: how many events were counted of a day, and how many InfluxDB held, when that was looked at last."""

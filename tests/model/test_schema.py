"""Design section 3 is written once, in ``ingestor.model.schema``: what stores points must agree with it."""

import sqlite3
from typing import get_args

import pytest

from ingestor.model import schema
from ingestor.model.points import POINT_COLUMNS, Point, Series, TotalSeries
from ingestor.state.upgrades import upgrade

SQL_TYPES = {schema.Kind.INTEGER: "INTEGER", schema.Kind.STRING: "TEXT"}
PYTHON_TYPES = {schema.Kind.INTEGER: int, schema.Kind.STRING: str}
SERIES = dict.fromkeys(Series._fields, "TEXT")


@pytest.fixture(scope="module")
def connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    return connection


def columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    return {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")}


def fields(measurement: schema.Measurement) -> dict[str, str]:
    return {field.name: SQL_TYPES[field.kind] for field in measurement.fields}


def test_the_tags_of_an_event_are_its_series() -> None:
    assert tuple(tag.name for tag in schema.EVENTS.tags) == Series._fields


def test_the_tags_of_all_clients_together_are_those_of_an_event_without_the_client() -> None:
    assert tuple(tag.name for tag in schema.TOTALS.tags) == TotalSeries._fields
    assert TotalSeries._fields == tuple(name for name in Series._fields if name != "client_id")
    series = Series(*Series._fields)
    assert series.of_all_clients() == TotalSeries(*TotalSeries._fields)


def test_the_tags_of_a_client_are_some_of_those_of_an_event() -> None:
    assert [tag.name for tag in schema.CLIENTS.tags] == ["client_id", "host", "realm", "source"]


def test_the_fields_of_an_event_are_its_point() -> None:
    stored = [field for field in schema.EVENTS.fields if field.name != "events"]
    assert tuple(field.name for field in stored) == POINT_COLUMNS[2:]
    assert [PYTHON_TYPES[field.kind] | None for field in stored] == list(get_args(Point)[2:])


def test_the_embedded_store_has_the_columns_of_the_schema(connection: sqlite3.Connection) -> None:
    identity = {"time": "INTEGER", "series": "INTEGER"}
    # A row is one event, so the embedded store needs no field that is always 1.
    event_fields = {name: kind for name, kind in fields(schema.EVENTS).items() if name != "events"}
    totals = {tag.name: "TEXT" for tag in schema.TOTALS.tags}
    users = {tag.name: "TEXT" for tag in schema.USERS.tags}
    assert columns(connection, "series") == {"number": "INTEGER"} | SERIES
    assert columns(connection, schema.EVENTS.name) == identity | event_fields
    assert columns(connection, schema.HOURLY.name) == identity | fields(schema.HOURLY)
    assert columns(connection, "total_series") == {"number": "INTEGER"} | totals
    assert columns(connection, schema.TOTALS.name) == identity | fields(schema.TOTALS)
    assert columns(connection, schema.USERS.name) == {"time": "INTEGER"} | users | fields(schema.USERS)


@pytest.mark.parametrize("measurement", schema.MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_a_measurement_is_described_and_unambiguous(measurement: schema.Measurement) -> None:
    names = [tag.name for tag in measurement.tags] + [field.name for field in measurement.fields]
    assert len(set(names)) == len(names)
    assert [tag.name for tag in measurement.tags] == sorted(tag.name for tag in measurement.tags)
    assert measurement.description
    assert measurement.time
    assert all(tag.description for tag in measurement.tags)
    assert all(field.description for field in measurement.fields)
    # A number without a unit cannot be put on an axis; text has none.
    assert all(bool(field.unit) == (field.kind is not schema.Kind.STRING) for field in measurement.fields)


def test_measurements_have_different_names() -> None:
    names = [measurement.name for measurement in schema.MEASUREMENTS]
    assert len(set(names)) == len(names)

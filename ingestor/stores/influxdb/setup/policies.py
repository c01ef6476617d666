"""Databases and retention policies of InfluxDB 1.x."""

import re
from typing import Any, Final

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import TokentailError
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.client.server import Server
from ingestor.stores.influxdb.client.statements import ask
from ingestor.stores.influxdb.setup.plan import places, shard_seconds
from ingestor.stores.setup_step import Bucket
from parsers.text import clean

_UNITS: Final = {"h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?")


class Policies:
    """The databases of one server. Nothing is ever dropped, and the default policy stays what it is."""

    def __init__(self, store: StoreSettings, server: Server, http: InfluxHttp) -> None:
        self.server = server
        self.organization = ""
        self._store = store
        self._http = http

    def desired(self, retention: RetentionSettings) -> tuple[Bucket, ...]:
        """Return what should be there: the database before its policies."""
        database = self._store.database
        return Bucket("database", database, 0), *places("retention policy", database, retention)

    def actual(self) -> dict[str, int]:
        """Return what is there, of the database that we want: names and retentions. Raises TokentailError."""
        database = self._store.database
        databases = {row[0] for row in self._ask("SHOW DATABASES", "list its databases")}
        if database not in databases:
            return {}
        rows = self._ask(f'SHOW RETENTION POLICIES ON "{database}"', f"list the policies of {database}")
        return {database: 0} | {f"{database}/{row[0]}": duration_seconds(row[1]) for row in rows}

    def make(self, place: Bucket) -> None:
        """Make a place that is missing. Raises TokentailError."""
        statement = f'CREATE DATABASE "{place.name}"'
        if not place.is_database:
            statement = f"CREATE RETENTION POLICY {self._retention(place)} REPLICATION 1 {_shards(place)}"
        self._ask(statement, f"make the {place.kind} {place.name}", administrator=True)

    def change(self, place: Bucket) -> None:
        """Give a policy the retention that it should have. Raises TokentailError."""
        statement = f"ALTER RETENTION POLICY {self._retention(place)} {_shards(place)}"
        self._ask(statement, f"change the {place.kind} {place.name}", administrator=True)

    def close(self) -> None:
        """Nothing is open: the connections are the caller's."""

    def _retention(self, place: Bucket) -> str:
        return f'"{place.policy}" ON "{self._store.database}" DURATION {place.seconds}s'

    def _ask(self, statement: str, doing: str, *, administrator: bool = False) -> list[list[Any]]:
        return ask(self._http, self._store, self.server, statement, doing=doing, administrator=administrator)


def _shards(place: Bucket) -> str:
    return f"SHARD DURATION {shard_seconds(place.seconds)}s"


def duration_seconds(text: str) -> int:
    """Read a duration as InfluxDB 1.x prints it (``2160h0m0s``; ``0s`` is for ever)."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise TokentailError(f"InfluxDB printed a retention that makes no sense: {clean(text)[:60]}")
    return sum(int(count or 0) * size for count, size in zip(found.groups(), _UNITS.values(), strict=True))

"""InfluxDB 1.x and 2.x as a ``Store``."""

import contextlib
import dataclasses
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import UnavailableError
from ingestor.model.agreement import Agreement
from ingestor.model.check_result import CheckResult
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Answers
from ingestor.state.rejected_file import RejectedFile
from ingestor.state.state import State
from ingestor.stores.contract import LookUp, SetupReport
from ingestor.stores.delivery import Delivery
from ingestor.stores.holder import EMBEDDED, INFLUXDB, check_holder
from ingestor.stores.influxdb.client.http import InfluxHttp, tls_context
from ingestor.stores.influxdb.ownership.rebuilding import look_before_reading
from ingestor.stores.influxdb.read.answers import InfluxAnswers
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.read.retention import oldest_kept
from ingestor.stores.influxdb.read.stored_lines import InfluxLines
from ingestor.stores.influxdb.recovery.compared import look_now
from ingestor.stores.influxdb.setup.checks import check_influxdb
from ingestor.stores.influxdb.setup.setup import administration, init
from ingestor.stores.influxdb.write.delivery import InfluxDelivery
from ingestor.stores.notes import MOVING
from ingestor.stores.notes import STORE as HELD_BY
from parsers.text import clean

PATIENCE_SECONDS: Final = 5.0
"""For a comparison: somebody waits for it."""


class InfluxStore:
    """Implements ``Store``."""

    title = "InfluxDB"
    in_state = False
    speaks_influxql = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> str:
        """Name server and database."""
        return f"InfluxDB at {self._settings.store.url}, database {self._settings.store.database}"

    def complete_since(self, now: int) -> int:
        """Return the oldest time that the raw policy keeps."""
        return oldest_kept(self._settings.retention, now)

    def check_usable(self, state: State) -> None:
        """Raise ConfigError for certificates that cannot be loaded, and for events that are in a third store."""
        check_holder(state, INFLUXDB, takes_over={EMBEDDED})
        tls_context(self._settings.store)

    def before_reading(self, state: State, tick: Callable[[], None]) -> None:
        """Begin a rebuild when the state is new and InfluxDB holds events of its host."""
        look_before_reading(self._settings, state, tick)

    def new_delivery(self, state: State, series: SeriesTable, rejected: RejectedFile) -> Delivery:
        """Return what sends events, and then makes the checkpoints behind them."""
        return InfluxDelivery(self._settings, state, series, rejected)

    @contextlib.contextmanager
    def open_answers(self, connection: sqlite3.Connection | None) -> Iterator[Answers]:  # noqa: ARG002 - the state may be another machine's
        """Yield what asks InfluxDB."""
        with contextlib.closing(InfluxHttp(self._settings.store)) as http:
            yield InfluxAnswers(http, self._settings.store, self._settings.retention, time.time_ns)

    @contextlib.contextmanager
    def open_look_up(self, state: State, series: SeriesTable) -> Iterator[LookUp]:  # noqa: ARG002 - as above
        """Yield what looks points up in the raw policy."""
        with contextlib.closing(InfluxHttp(self._settings.store)) as http:
            yield InfluxLines(http, self._settings.store, series).look_up

    def compare(self, state: State) -> Agreement:
        """Compare some days, those first that need it most, with what the state has counted."""
        if state.meta().get(HELD_BY) == MOVING:
            raise UnavailableError("the events of the embedded store are on their way to InfluxDB")
        seconds = min(PATIENCE_SECONDS, self._settings.store.timeout_seconds)
        store = dataclasses.replace(self._settings.store, timeout_seconds=seconds)
        with contextlib.closing(InfluxHttp(store)) as http:
            return look_now(state, self._settings, Queries(http, store))

    def check(self) -> Iterable[CheckResult]:
        """Look for a server, ask it who we are, and write and read a point of our own."""
        return check_influxdb(self._settings.store, self._settings.retention)

    def set_up(self, *, change_retention: bool, dry_run: bool) -> SetupReport | None:
        """Make the database with its retention policies (1.x), or the buckets (2.x)."""
        store = self._settings.store
        with administration(store) as admin:
            steps = init(admin, self._settings.retention, change_retention=change_retention, dry_run=dry_run)
            version, organization = admin.server.version, admin.organization
        within = f", organization {clean(organization)}" if organization else ""
        about = {"url": store.url, "version": version, "organization": organization, "database": store.database}
        return SetupReport(f"InfluxDB {version} at {store.url}{within}", about, steps)


STORE: Final = InfluxStore

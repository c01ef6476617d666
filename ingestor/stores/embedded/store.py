"""The embedded store as a ``Store``: it is in the state's own database, needs no set-up, and keeps everything."""

import contextlib
import sqlite3
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
from ingestor.stores.contract import SINCE_EVER, LookUp, SetupReport
from ingestor.stores.delivery import Delivery
from ingestor.stores.embedded.agreement import embedded_agreement
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.embedded.delivery import EmbeddedDelivery
from ingestor.stores.embedded.events import SqliteStore
from ingestor.stores.holder import EMBEDDED, check_holder, holder
from ingestor.stores.registry import store_class


class EmbeddedStore:
    """Implements ``Store``."""

    title = "the embedded store"
    in_state = True
    speaks_influxql = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> str:
        """Name the state directory."""
        return str(self._settings.state_directory)

    def complete_since(self, now: int) -> int:  # noqa: ARG002 - nothing is ever dropped
        """Return that everything is kept."""
        return SINCE_EVER

    def check_usable(self, state: State) -> None:
        """Raise ConfigError when the state's events have gone to another store."""
        check_holder(state, EMBEDDED)

    def before_reading(self, state: State, tick: Callable[[], None]) -> None:
        """Do nothing: the store cannot know more than the state that it is in."""

    def new_delivery(self, state: State, series: SeriesTable, rejected: RejectedFile) -> Delivery:
        """Return what commits events and positions together."""
        return EmbeddedDelivery(state, series, rejected)

    @contextlib.contextmanager
    def open_answers(self, connection: sqlite3.Connection | None) -> Iterator[Answers]:
        """Yield what asks the database behind ``connection``."""
        if connection is None:
            raise ValueError("the embedded store is asked through a state's connection")
        yield SqliteAnswers(connection)

    @contextlib.contextmanager
    def open_look_up(self, state: State, series: SeriesTable) -> Iterator[LookUp]:
        """Yield what looks points up in the state's database."""
        yield SqliteStore(state.connection, series).look_up

    def compare(self, state: State) -> Agreement:
        """Compare, in one snapshot."""
        if (held_by := holder(state.meta())) != EMBEDDED:
            raise UnavailableError(f"the events are in {store_class(held_by).title}, and {self.title} is configured")
        return embedded_agreement(state)

    def check(self) -> Iterable[CheckResult]:
        """Add nothing: whoever looks at the state looks at the store."""
        return ()

    def set_up(self, *, change_retention: bool, dry_run: bool) -> SetupReport | None:  # noqa: ARG002 - there is nothing to do
        """Return that the store makes itself."""
        return None


STORE: Final = EmbeddedStore

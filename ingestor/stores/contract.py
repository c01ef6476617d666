"""What a store is. A folder here is one: its module ``store`` has a class ``STORE`` that does what this protocol says.

``docs/add-a-store.md`` says how one is added; ``tests/stores/conformance`` holds what every store must pass.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from ingestor.config.settings import Settings
from ingestor.model.agreement import Agreement
from ingestor.model.check_result import CheckResult
from ingestor.model.points import Point, SeriesTable
from ingestor.model.questions import Answers
from ingestor.state.rejected_file import RejectedFile
from ingestor.state.state import State
from ingestor.stores.delivery import Delivery
from ingestor.stores.lookup import LookupResult, Place
from ingestor.stores.setup_step import SetupStep

SINCE_EVER: Final = -(1 << 63)
"""``Store.complete_since`` of a store that keeps everything: before any time of a point, nanoseconds."""


class LookUp(Protocol):
    """Asks a store for points that ought to be there. Raises what the store raises."""

    def __call__(self, points: Sequence[Point], places: Sequence[Place] = ()) -> list[LookupResult]:
        """Return one answer for each point, and then one for each place where nothing else ought to be (``lookup.findings``)."""
        ...


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What ``tokentail store init`` found and did."""

    heading: str
    """Which server it is, for people."""
    about: dict[str, str]
    """The same for programs: keys of ``store init --json``."""
    steps: tuple[SetupStep, ...]


class Store(Protocol):
    """One store, for settings that name it. To make one costs nothing: a server is asked by the methods alone.

    All is called with the ``Settings`` that the store was made with in mind; ``state`` is open for reading, or for writing
    by the one process that has it. Methods raise TokentailError for what a person can mend; a store in the state's own
    database raises sqlite3.Error as well.
    """

    title: str
    """For the middle of a sentence: ``InfluxDB``, ``the embedded store``."""
    in_state: bool
    """Whether the events are in the state's own database, so that questions need a state and its faults are the store's."""
    speaks_influxql: bool
    """Whether Grafana can ask it what the dashboards and alert rules ask, which is InfluxQL."""

    def __init__(self, settings: Settings) -> None: ...

    def describe(self) -> str:
        """Return where the events are kept, for a message or a status. No secret is in it."""
        ...

    def complete_since(self, now: int) -> int:
        """Return since when every event is kept; older ones may be gone. Nanoseconds; ``SINCE_EVER``: all are kept."""
        ...

    def check_usable(self, state: State) -> None:
        """Raise ConfigError when the settings cannot be used with this state, such as one whose events are elsewhere.

        It is asked of new settings while the former ones are in use, so it must change nothing and wait for no server.
        """
        ...

    def before_reading(self, state: State, tick: Callable[[], None]) -> None:
        """Look, before a log is, whether the store knows more than a state that is new: begin a rebuild then.

        A server that does not answer is not waited for long, and is no fault; ``tick`` is called meanwhile. Raises sqlite3.Error.
        """
        ...

    def new_delivery(self, state: State, series: SeriesTable, rejected: RejectedFile) -> Delivery:
        """Return what writes batches and makes checkpoints. Raises ConfigError as ``check_usable`` does.

        When the state's events are in a store that this one takes over from, the delivery moves them (``Delivery.migrating``).
        """
        ...

    def open_answers(self, connection: sqlite3.Connection | None) -> AbstractContextManager[Answers]:
        """Open the store for questions. ``connection``: to a state; needed only by a store that is in it."""
        ...

    def open_look_up(self, state: State, series: SeriesTable) -> AbstractContextManager[LookUp]:
        """Open the store for ``verify``. Points are numbered by ``series``."""
        ...

    def compare(self, state: State) -> Agreement:
        """Return whether the store holds what the state has counted; soon, since somebody waits for it.

        Raises TokentailError, whose text says why it cannot be compared; sqlite3.Error.
        """
        ...

    def check(self) -> Iterable[CheckResult]:
        """Yield what `tokentail validate` finds of the server, by trying; what is written for that is no event.

        Never raises for the server's faults: they are findings. A store that is in the state has nothing to add.
        """
        ...

    def set_up(self, *, change_retention: bool, dry_run: bool) -> SetupReport | None:
        """Make what is missing in the store; None for one that makes itself. Safe to repeat; drops nothing.

        ``change_retention``: also alter what keeps points for another time. ``dry_run``: only look. Raises TokentailError.
        """
        ...

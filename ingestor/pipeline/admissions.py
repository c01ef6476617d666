"""The budgets of all sources: who was admitted in each, and what of it is not saved yet."""

from collections.abc import Mapping

from ingestor.config.settings import BudgetSettings
from ingestor.model.accounting import Account
from ingestor.model.points import SeriesTable
from ingestor.model.snapshot import SourceSnapshot
from ingestor.pipeline.admission import Admission
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.state import State


class Admissions:
    """An ``Admission`` for each source, loaded from the state when it is first asked for."""

    def __init__(self, budgets: BudgetSettings, state: State, series: SeriesTable) -> None:
        self._budgets = budgets
        self._state = state
        self._series = series
        self._by_source: dict[str, Admission] = {}

    def of(self, source: str) -> Admission:
        """Return the client and realm budgets of a source. Raises sqlite3.Error."""
        if source not in self._by_source:
            budgets = self._budgets
            self._by_source[source] = Admission(
                source,
                self._state.host,
                self._series,
                clients=budgets.clients,
                failing_clients=budgets.failing_clients,
                realms=budgets.realms,
                failing_realms=budgets.failing_realms,
                admitted=self._state.admitted(source),
            )
        return self._by_source[source]

    def snapshots(self, accounts: Mapping[str, Account]) -> dict[str, SourceSnapshot]:
        """Return the figures of every source that has an account."""
        figures = {}
        for source, account in accounts.items():
            admission = self._by_source.get(source)
            clients, overflowing = (admission.clients, admission.overflowing) if admission else (0, False)
            figures[source] = SourceSnapshot(account, clients, overflowing)
        return figures

    def move_new(self, checkpoint: Checkpoint) -> None:
        """Move what was admitted since the last checkpoint into this one."""
        for source, admission in self._by_source.items():
            checkpoint.admitted += [(source, entry) for entry in admission.new]
            admission.new.clear()

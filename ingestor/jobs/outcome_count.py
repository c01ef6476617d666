"""What became of the lines of one file that a command reads, whether they had been counted before or not."""

from typing import NamedTuple

from ingestor.model.accounting import Account
from ingestor.pipeline.pipeline import Pipeline
from parsers.contract import Reason


class Outcomes(NamedTuple):
    """Lines that are not blank, by what became of them."""

    stored: int = 0
    rejected: int = 0
    ignored: int = 0
    expired: int = 0
    """Events that are older than the store keeps, as far as they were read for the first time."""


class OutcomeCount:
    """Counts from its making on; every line in between must be of one source, and durable at the end."""

    def __init__(self, pipeline: Pipeline, source: str) -> None:
        self._pipeline = pipeline
        self._source = source
        self._taken = pipeline.taken.copy()
        self._expired, self._refused = self._by_the_store()

    def outcomes(self) -> Outcomes:
        """Return what became of the lines since."""
        taken = self._pipeline.taken - self._taken
        expired, refused = self._by_the_store()
        expired, refused = expired - self._expired, refused - self._refused
        stored = taken["event"] - expired - refused
        return Outcomes(stored, taken["rejected"] + refused, taken["ignored"], expired)

    def _by_the_store(self) -> tuple[int, int]:
        """Return how many events the store has found too old, and refused."""
        account = self._pipeline.delivery.accounts.get(self._source, Account())
        return account.expired, account.rejected[Reason.STORE_REFUSED]

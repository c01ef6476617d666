"""Which events a finding is made of, as far as it says: between its first and last, of whom it names."""

from dataclasses import replace
from typing import Final

from ingestor.model.finding import MOST_EXAMPLES, StoredFinding
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.periods import SECOND
from ingestor.model.questions import Filters, Period, Record
from parsers import rfc3339

_NO_FILTERS: Final = Filters()


class Evidence:
    """A finding's events: a question for the store, and what has to be looked at event by event.

    A store narrows by one address; a finding may have several. Its lists hold at most 20, so a full one may lack some, and
    narrows nothing. An event without an address is not known to be from another one.
    """

    def __init__(self, finding: StoredFinding) -> None:
        """Take a finding as the state has it."""
        self.finding: Final = finding
        self._ips = _all_of(finding.listed("ips"))
        self._clients = _all_of(finding.listed("clients"))
        self._examples = frozenset(finding.listed("event_ids"))

    @property
    def period(self) -> Period:
        """From the first event through the last. A line that was written to the second is stored at a moment within that."""
        return Period(self.finding.first_seen * MILLISECOND_SLOTS, self.finding.last_seen * MILLISECOND_SLOTS + SECOND)

    def narrowed(self, filters: Filters = _NO_FILTERS) -> Filters:
        """Return filters with what the finding says of its events, where they leave it open."""
        finding = self.finding
        own = {"client": finding.true_client or None, "realm": finding.realm or None, "user": finding.user_id}
        return replace(filters, **{name: value for name, value in own.items() if getattr(filters, name) is None})

    def has(self, record: Record) -> bool:
        """Whether an event belongs to it."""
        finding, written = self.finding, rfc3339.parse(record.time)
        return (
            written is not None
            and finding.first_seen <= written.ms <= finding.last_seen
            and finding.true_client in {"", record.client_id}
            and finding.realm in {"", record.realm}
            and finding.user_id in {None, record.user_id}
            and (not self._ips or record.ip is None or record.ip in self._ips)
            and (not self._clients or record.client_id is None or record.client_id in self._clients)
        )

    def is_example(self, record: Record) -> bool:
        """Whether the finding names this event."""
        return record.event_id in self._examples


def _all_of(listed: list[str]) -> frozenset[str]:
    """Return a list of evidence that is whole; nothing for one that may not be."""
    return frozenset(listed) if len(listed) < MOST_EXAMPLES else frozenset()

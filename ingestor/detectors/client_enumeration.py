"""Somebody looks for clients: many client ids are tried, each a few times (the form of Elastic's rule for credential stuffing)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Evidence, Figures
from ingestor.detectors.parts.homes import Homes
from ingestor.detectors.parts.several import Several
from ingestor.detectors.parts.surge import ISSUED, MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event, EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEnumerationOptions(Options):
    """How many clients are a search."""

    ids: int = 15
    """So many client ids from one address (at most 64)."""
    many_ids: int = 30
    """Or so many that have never got a token, from ``addresses`` different ones (at most 64)."""
    addresses: int = 5
    """See ``many_ids``."""
    tries: int = 3
    """Each is tried so often at most, on average. More is a client that tries again, or somebody who tries secrets."""
    window_minutes: int = 15
    """Within so many minutes."""


class ByAddress(Surge[ClientEnumerationOptions]):
    """One address tries many clients."""

    def subject_of(self, event: Event) -> Subject | None:
        """Return the address."""
        return Subject(event.tags.realm, key=event.ip) if event.ip else None

    def severity_of(self, figures: Figures, options: ClientEnumerationOptions) -> Severity | None:
        """Return medium for many clients."""
        few_each = figures.events <= options.tries * figures.clients
        return Severity.MEDIUM if figures.clients >= options.ids and few_each else None

    def fewest(self, options: ClientEnumerationOptions) -> int:
        """Return the smaller one of two options."""
        return min(options.ids, options.many_ids)

    def window_ms(self, options: ClientEnumerationOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS

    def is_success_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:  # noqa: ARG002
        """Whether it is of one of the clients: behind the same address there may be others."""
        return event.tags.client_id in evidence.clients


class Together(ByAddress):
    """Many addresses try many clients."""

    raised_by_success = False

    def subject_of(self, event: Event) -> Subject:
        """Return the realm."""
        return Subject(event.tags.realm)

    def severity_of(self, figures: Figures, options: ClientEnumerationOptions) -> Severity | None:
        """Return medium for many clients from many addresses."""
        few_each = figures.events <= options.tries * figures.clients
        is_many = figures.clients >= options.many_ids and figures.ips >= options.addresses
        return Severity.MEDIUM if is_many and few_each else None


class ClientEnumeration(Several[ClientEnumerationOptions]):
    """Finds it by address, or by realm when many addresses share the work. Medium, and high when one of the clients gets a token there.

    A client that fails where it has got tokens does not count, nor, for many addresses, one that has ever got any: when the
    secrets of a whole cluster are changed, its clients fail from where they run.

    Blind: to a search that is slower than one client a minute, and to who names no client id that the log can show, such as one that does not
    exist in Hydra's audit events.
    """

    name = "client_enumeration"
    title = "Many clients are tried"
    actions = frozenset({"token.validation_failed"}) | ISSUED
    options = ClientEnumerationOptions
    thresholds = ("ids", "many_ids")
    ways = (ByAddress, Together)

    def __init__(self, options: ClientEnumerationOptions) -> None:
        super().__init__(options)
        self._homes = Homes()
        self.parts = (self._homes,)

    def shown(self, rows: Sequence[EventRow]) -> Sequence[Sequence[EventRow]]:
        """Return failures of clients away from home, and those of clients that have none."""
        away: list[EventRow] = []
        unknown: list[EventRow] = []
        begin = 0
        for number in [number for number, row in enumerate(rows) if row[2][0] not in ISSUED]:
            self._homes.learn(rows[begin:number])
            row, begin = rows[number], number + 1
            tags = row[2]
            if tags.error == "invalid_client" and tags.client_id:
                home = self._homes.get((tags.realm, tags.client_id))
                if home is None:
                    unknown.append(row)
                if home is None or not home.has(row[4]):
                    away.append(row)
        self._homes.learn(rows[begin:])
        return away, unknown


DETECTOR = ClientEnumeration

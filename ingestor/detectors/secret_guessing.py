"""Somebody tries secrets of a client: from one address, or from many that take turns (RFC 6819 section 4.3.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.homes import Homes
from ingestor.detectors.parts.surge import ISSUED, MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event, EventRow, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretGuessingOptions(Options):
    """How much is guessing. Elastic's rule for a user who is attacked from several sources has the same form and numbers."""

    failures: int = 10
    """So many, from ``addresses`` different ones, are `high`."""
    addresses: int = 5
    """See ``failures``."""
    many_failures: int = 30
    """So many are `medium`, even from one address."""
    window_minutes: int = 30
    """Within so many minutes."""


class SecretGuessing(Surge[SecretGuessingOptions]):
    """Finds it by client: high from many addresses, medium from few, and one worse when one of them gets a token.

    Failures from a network where the client has got tokens do not count: after a change of its secret it fails from where it runs.

    Blind: to who guesses from such a network (IPv4: /24, IPv6: /48), so to all where a proxy hides the addresses. A client that was taken
    out of service looks attacked while many still have it.
    """

    name = "secret_guessing"
    title = "Secrets of a client are tried"
    learns_from = ISSUED
    actions = frozenset({"token.validation_failed"}) | learns_from
    options = SecretGuessingOptions
    thresholds = ("failures", "many_failures")

    def __init__(self, options: SecretGuessingOptions) -> None:
        super().__init__(options)
        self._homes = Homes()
        self.parts = (*self.parts, self._homes)

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Learn where clients get tokens."""
        self._homes.learn(rows)

    def concerns(self, tags: Tags) -> bool:
        """Whether the authentication of a client failed."""
        return tags.error == "invalid_client" and bool(tags.client_id)

    def subject_of(self, event: Event) -> Subject | None:
        """Return the client, unless it is at home."""
        tags = event.tags
        home = self._homes.get((tags.realm, tags.client_id))
        return None if home is not None and home.has(event.ip) else Subject(tags.realm, tags.client_id)

    def severity_of(self, figures: Figures, options: SecretGuessingOptions) -> Severity | None:
        """Return high for many addresses, medium for one that does not give up."""
        if figures.events >= options.failures and figures.ips >= options.addresses:
            return Severity.HIGH
        return Severity.MEDIUM if figures.events >= options.many_failures else None

    def fewest(self, options: SecretGuessingOptions) -> int:
        """Return the smaller one of two options."""
        return min(options.failures, options.many_failures)

    def window_ms(self, options: SecretGuessingOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS


DETECTOR = SecretGuessing

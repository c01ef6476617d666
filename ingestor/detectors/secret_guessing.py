"""Somebody tries secrets of a client: from one address, or from many that take turns (RFC 6819 section 4.3.2)."""

from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.surge import MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretGuessingOptions(Options):
    """How much is guessing. Elastic's rule for a user who is attacked from several sources has the same form and numbers."""

    failures: int = 10
    many_failures: int = 30
    """From one address as well: a client whose secret was changed fails from where it always runs."""
    addresses: int = 5
    window_minutes: int = 30


class SecretGuessing(Surge[SecretGuessingOptions]):
    """Finds it by client. Medium from few addresses, high from many, and one worse when one of them gets a token."""

    name = "secret_guessing"
    title = "Secrets of a client are tried"
    actions = frozenset({"token.validation_failed"})
    options = SecretGuessingOptions

    def subject_of(self, event: Event) -> Subject | None:
        """Return the client whose authentication failed."""
        tags = event.tags
        return Subject(tags.realm, tags.client_id) if tags.error == "invalid_client" and tags.client_id else None

    def severity_of(self, figures: Figures, options: SecretGuessingOptions) -> Severity | None:
        """Return high for many addresses, medium for one that does not give up."""
        if figures.events >= options.failures and figures.ips >= options.addresses:
            return Severity.HIGH
        return Severity.MEDIUM if figures.events >= options.many_failures else None

    def window_ms(self, options: SecretGuessingOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS


DETECTOR = SecretGuessing

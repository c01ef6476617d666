"""A client whose refresh tokens or codes are used twice again and again: somebody has stolen a list of them."""

from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.surge import MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedReuseOptions(Options):
    """How often is again and again."""

    fewest: int = 2
    """So many are `medium`."""
    many: int = 10
    """So many are `high`."""
    window_minutes: int = 60
    """Within so many minutes."""


class RepeatedReuse(Surge[RepeatedReuseOptions]):
    """Finds it by client. Medium, and high when it goes on."""

    name = "repeated_reuse"
    title = "Tokens of a client are used twice, again and again"
    actions = frozenset({"token.reuse_detected"})
    options = RepeatedReuseOptions
    thresholds = ("fewest", "many")

    def subject_of(self, event: Event) -> Subject:
        """Return the client."""
        return Subject(event.tags.realm, event.tags.client_id)

    def severity_of(self, figures: Figures, options: RepeatedReuseOptions) -> Severity | None:
        """Return how bad so much reuse is."""
        if figures.events >= options.many:
            return Severity.HIGH
        return Severity.MEDIUM if figures.events >= options.fewest else None

    def window_ms(self, options: RepeatedReuseOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS


DETECTOR = RepeatedReuse

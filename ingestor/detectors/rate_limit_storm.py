"""A client is refused again and again because it asks too fast (OWASP excess_rate_limit_exceeded)."""

from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.surge import MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitStormOptions(Options):
    """How much is a storm."""

    refusals: int = 100
    """So many are `low` (at most 128)."""
    window_minutes: int = 15
    """Within so many minutes."""


class RateLimitStorm(Surge[RateLimitStormOptions]):
    """Finds it by client, or by address where no client is known. Always low: the limit does its work, and who tries again during an outage does the same.

    Blind: to who stays below the limit, and to what many clients do together. What an attacker is after, other detectors say.
    """

    name = "rate_limit_storm"
    title = "A client is refused for asking too fast, again and again"
    actions = frozenset({"token.rate_limited"})
    options = RateLimitStormOptions
    thresholds = ("refusals",)

    def subject_of(self, event: Event) -> Subject | None:
        """Return the client, or else the address."""
        tags = event.tags
        if tags.client_id:
            return Subject(tags.realm, tags.client_id)
        return Subject(tags.realm, key=event.ip) if event.ip else None

    def severity_of(self, figures: Figures, options: RateLimitStormOptions) -> Severity | None:
        """Return low for many."""
        return Severity.LOW if figures.events >= options.refusals else None

    def fewest(self, options: RateLimitStormOptions) -> int:
        """Return the option."""
        return options.refusals

    def window_ms(self, options: RateLimitStormOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS


DETECTOR = RateLimitStorm

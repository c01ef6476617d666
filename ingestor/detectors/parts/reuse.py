"""Something that may be used once is used again: by whom it belongs to, whose answer was lost, or by whoever stole it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.last_uses import MOST_USES, LastUses, Use
from ingestor.detectors.parts.origin import network_of
from ingestor.detectors.parts.surge import MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event, EventRow, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseOptions(Options):
    """When a second use is somebody else's."""

    grace_seconds: int = 30
    """A second use by the same program so soon after the first one is `low` from another network, too: a phone that changes networks."""
    many_unknown: int = 10
    """So many by users that the log does not name, of one client within an hour, are `medium`. Fewer are `low`."""


class Reuse(Surge[ReuseOptions]):
    """Compares a second use with the last first use of the same user and client. One is an incident, and no success makes it worse."""

    version = "3"
    thresholds = ("many_unknown",)
    raised_by_success = False
    begins_at_once = True
    most_uses = MOST_USES
    """That are remembered."""

    def __init__(self, options: ReuseOptions) -> None:
        super().__init__(options)
        self._uses = LastUses(most=self.most_uses)
        self.parts = (*self.parts, self._uses)

    def is_of_mine(self, tags: Tags) -> bool:
        """Whether a second use is of what the detector is about."""
        raise NotImplementedError

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Remember first uses."""
        self._uses.note(rows)

    def subject_of(self, event: Event) -> Subject | None:
        """Return the user and client."""
        tags = event.tags
        return Subject(tags.realm, tags.client_id, event.user_id or "") if self.is_of_mine(tags) else None

    def user_of(self, subject: Subject) -> str | None:
        """Return the user."""
        return subject.key or None

    def severity_of(self, figures: Figures, options: ReuseOptions) -> Severity:
        """Return low for one, unless that is bad by itself; medium for many of users that nobody names."""
        many = not figures.users and figures.events >= options.many_unknown
        return Severity.MEDIUM if many else Severity.LOW

    def least_severity_of(self, event: Event, options: ReuseOptions) -> Severity:
        """Return how far from the first use it is. Where none is known, this one is what later ones are compared with."""
        if not event.user_id:
            return Severity.LOW
        uses = self._uses.of(event)
        if not uses:
            self._uses.note((event,))
            return Severity.MEDIUM
        return _judged(event, uses, options.grace_seconds * 1000)

    def window_ms(self, options: ReuseOptions) -> int:  # noqa: ARG002 - one event is enough
        """Return an hour."""
        return 60 * MINUTE_MS


def is_of_code(tags: Tags) -> bool:
    """Whether what was used again is an authorization code: by its error, else by its grant. All else is a refresh token."""
    return tags.error in {"invalid_code", "expired_code"} or tags.grant_type == "authorization_code"


def _judged(event: Event, uses: Sequence[Use], grace_ms: int) -> Severity:
    """Return low for the program and a place of first uses, high for neither, medium when in doubt."""
    agent, last = event.user_agent, uses[-1]
    own = [use for use in uses if use.user_agent == agent]
    is_soon = any(0 <= event.time_ms - use.time_ms <= grace_ms for use in own)
    if any(_are_near(event.ip, use.ip) for use in own):
        was_somebody_else = not _are_near(event.ip, last.ip) and (last.user_agent != agent or not agent)
        return Severity.MEDIUM if was_somebody_else and not is_soon else Severity.LOW
    if agent and is_soon:
        return Severity.LOW  # it changed networks
    if (own and agent) or is_soon or not event.ip or not last.ip:
        return Severity.MEDIUM
    if any(_are_near(event.ip, use.ip) for use in uses):
        return Severity.MEDIUM if agent else Severity.LOW
    return Severity.HIGH


def _are_near(ip: str | None, other: str | None) -> bool:
    return ip is not None and other is not None and network_of(ip) == network_of(other)

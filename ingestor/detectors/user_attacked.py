"""Passwords of one user are tried from many addresses (RFC 6819 section 4.4.3.6, Elastic's rule for a brute force from several sources)."""

from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Evidence, Figures
from ingestor.detectors.parts.passwords import FAILED, is_wrong_password
from ingestor.detectors.parts.surge import MINUTE_MS, Subject, Surge
from ingestor.model.finding import Severity
from parsers.contract import Event, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAttackedOptions(Options):
    """How much is an attack. The numbers are Elastic's."""

    failures: int = 10
    """So many are an attack,"""
    addresses: int = 5
    """from so many addresses: `low`, and `medium` from so many networks (IPv4: /24, IPv6: /48)."""
    many_networks: int = 20
    """From so many networks it is `high` (at most 64)."""
    window_minutes: int = 30
    """Within so many minutes."""


class UserAttacked(Surge[UserAttackedOptions]):
    """Finds it by user. One worse when the user gets a token from one of the addresses.

    Low from few networks: somebody whose phone and whose computer have the old password.

    Blind: where the log names no user, as for names that do not exist, and where all come from the address of a server that asks for the users.
    """

    name = "user_attacked"
    title = "Passwords of a user are tried from many addresses"
    actions = frozenset({FAILED})
    options = UserAttackedOptions
    thresholds = ("failures",)

    def concerns(self, tags: Tags) -> bool:
        """Whether a password was wrong."""
        return is_wrong_password(tags)

    def subject_of(self, event: Event) -> Subject | None:
        """Return the user."""
        return Subject(event.tags.realm, key=event.user_id) if event.user_id else None

    def user_of(self, subject: Subject) -> str:
        """Return the user."""
        return subject.key

    def severity_of(self, figures: Figures, options: UserAttackedOptions) -> Severity | None:
        """Return how bad so much is, by the networks that it comes from."""
        if figures.events < options.failures or figures.ips < options.addresses:
            return None
        networks = figures.networks
        if networks >= options.many_networks:
            return Severity.HIGH
        return Severity.MEDIUM if networks >= options.addresses else Severity.LOW

    def fewest(self, options: UserAttackedOptions) -> int:
        """Return the option."""
        return options.failures

    def window_ms(self, options: UserAttackedOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS

    def is_success_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:  # noqa: ARG002
        """Whether it comes from one of the addresses. The user may get in elsewhere."""
        return event.ip in evidence.ips


DETECTOR = UserAttacked

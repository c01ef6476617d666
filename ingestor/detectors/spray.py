"""A few passwords are tried for many users (RFC 6819 section 4.4.3.6, Elastic's rules for credential stuffing and password spraying)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Memory, Options
from ingestor.detectors.parts.evidence import Evidence, Figures
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.passwords import FAILED, is_wrong_password
from ingestor.detectors.parts.several import Several
from ingestor.detectors.parts.surge import MINUTE_MS, SUCCESSES, Subject
from ingestor.detectors.parts.weighed import Weighed
from ingestor.detectors.parts.window import Window
from ingestor.model.finding import Severity
from parsers.contract import Event, EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SprayOptions(Options):
    """How much is an attack. The numbers are Elastic's."""

    failures: int = 25
    """So many failures (at most 128),"""
    users: int = 15
    """of so many users who did not get in from where they failed (at most 64), from one address: `medium`."""
    addresses: int = 5
    """Or so many failures, of as many users, from so many addresses of one client."""
    tries: int = 3
    """Each user has so many failures at most, on average."""
    many_users: int = 50
    """So many users are told at once (at most 64);"""
    patience_minutes: int = 3
    """fewer only after so many minutes, which people need to get in after they mistyped."""
    window_minutes: int = 15
    """Within so many minutes."""


class ByAddress(Weighed[SprayOptions]):
    """One address tries many users."""

    learns_from = SUCCESSES

    def subject_of(self, event: Event) -> Subject | None:
        """Return the address."""
        return Subject(event.tags.realm, key=event.ip) if event.ip else None

    def speaks_for(self, row: EventRow) -> Key:
        """Return the address."""
        return row[2][6], "", row[4] or ""

    def counts(self, row: EventRow, window: Window) -> bool:
        """Whether somebody gets in from where they failed: then it was the user."""
        return window.has(row[3] or "", row[4] or "")

    def severity_of(self, figures: Figures, options: SprayOptions) -> Severity | None:
        """Return medium for many users who do not get in, however long they try, and more than twice as many as do."""
        locked_out = figures.users - figures.successful_users
        few_each = figures.events <= options.tries * figures.users
        is_enough = figures.events >= options.failures and locked_out >= self.fewest_users(options)
        had_time = figures.span_ms >= options.patience_minutes * MINUTE_MS or locked_out >= options.many_users
        is_spray = is_enough and few_each and had_time and locked_out > 2 * figures.successful_users
        return Severity.MEDIUM if is_spray else None

    def fewest_users(self, options: SprayOptions) -> int:
        """Return how many users have to be locked out."""
        return options.users

    def fewest(self, options: SprayOptions) -> int:
        """Return the option."""
        return options.failures

    def window_ms(self, options: SprayOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS

    def is_success_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:  # noqa: ARG002
        """Whether one of the users gets in from one of the addresses."""
        return event.user_id in evidence.users and event.ip in evidence.ips


class Together(ByAddress):
    """Many addresses try many users of a client."""

    def subject_of(self, event: Event) -> Subject | None:
        """Return the client."""
        subject = super().subject_of(event)
        return subject and Subject(subject.realm, event.tags.client_id)

    def speaks_for(self, row: EventRow) -> Key:
        """Return the client."""
        return row[2][6], row[2][1], ""

    def severity_of(self, figures: Figures, options: SprayOptions) -> Severity | None:
        """Return medium for many users from many addresses."""
        return super().severity_of(figures, options) if figures.ips >= options.addresses else None

    def fewest_users(self, options: SprayOptions) -> int:
        """Return as many as there have to be failures: of a whole client some users always mistype."""
        return options.failures


class Spray(Several[SprayOptions]):
    """Finds it by address, or by client when many addresses share the work. One worse when one of the users gets in from there.

    Users who get in from where they failed were themselves: on a day on which all passwords change, these are most.

    Blind: to names that do not exist, of which the log tells no user; and, at a busy client, to one who tries fewer than twice as
    many users as mistype. A store of users that is down, so that all fail, looks the same.
    """

    name = "spray"
    title = "Passwords are tried for many users"
    actions = frozenset({FAILED}) | SUCCESSES
    options = SprayOptions
    thresholds = ("failures",)
    ways = (ByAddress, Together)

    def __init__(self, options: SprayOptions) -> None:
        super().__init__(options)
        self._failed: set[str] = set()
        """All users whose successes may count, and some others: most of all events need no more than a look at it."""
        self._most_failed = 0

    def shown(self, rows: Sequence[EventRow]) -> Sequence[Sequence[EventRow]]:
        """Return wrong passwords, and successes of users who had one."""
        if len(self._failed) > self._most_failed:
            self._look_who_failed()
        failed, shown = self._failed, []
        for row in rows:
            if row[2][0] in SUCCESSES:
                if row[3] in failed:
                    shown.append(row)
            elif row[3] and is_wrong_password(row[2]):
                failed.add(row[3])
                shown.append(row)
        return shown, shown

    def restore(self, memory: Memory) -> None:
        """Take up what was dumped up to the last checkpoint."""
        super().restore(memory)
        self._look_who_failed()

    def _look_who_failed(self) -> None:
        self._failed = {user for way in self._surges.values() if isinstance(way, ByAddress) for user in way.users()}
        self._most_failed = 2 * len(self._failed) + 100


DETECTOR = Spray

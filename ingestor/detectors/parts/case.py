"""What is known of a subject: what happened within the last while, or the incident that it became."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ingestor.detectors.parts.evidence import MOST_COUNTED, Evidence, Figures, Hit
from ingestor.detectors.parts.window import Window
from ingestor.model.finding import Severity


class Subject(NamedTuple):
    """What an incident is about. Two events with the same one belong to the same incident."""

    realm: str
    client_id: str = ""
    """Empty where the incident is about no client, or about many."""
    key: str = ""
    """What else tells it apart: a user, an address."""


@dataclass(slots=True)
class Successes:
    """Those that speak against an attack, within one or two windows: this one and the one before it."""

    window: int = 0
    """The number of this one, by the events' time."""
    now: int = 0
    before: int = 0
    users_now: dict[str, None] = field(default_factory=dict)
    users_before: dict[str, None] = field(default_factory=dict)

    def advance(self, window: int) -> None:
        """Go on to a window, if it is a later one."""
        if window <= self.window:
            return
        follows = window == self.window + 1
        self.before, self.users_before = (self.now, self.users_now) if follows else (0, {})
        self.window, self.now, self.users_now = window, 0, {}

    def add(self, user: str) -> None:
        """Count one more."""
        self.now += 1
        if len(self.users_now) < MOST_COUNTED:
            self.users_now[user] = None

    def add_to(self, figures: Figures) -> Figures:
        """Return figures with these."""
        users = len(self.users_now | self.users_before)
        return figures._replace(successes=self.now + self.before, successful_users=users)

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.window, self.now, self.before, list(self.users_now), list(self.users_before)]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Successes":
        """Return it again."""
        window, now, before, users_now, users_before = value
        return cls(window, now, before, dict.fromkeys(users_now), dict.fromkeys(users_before))


@dataclass(slots=True)
class Case:
    """What is known of a subject."""

    window: Window = field(default_factory=Window)
    """Empty once there is an incident."""
    evidence: Evidence | None = None
    severity: Severity = Severity.LOW
    """The highest so far."""
    success: str = ""
    """``yes`` once one of the addresses or users of the incident has succeeded, ``no`` when none has in time; empty before."""
    successes: Successes | None = None
    """What is weighed against it, if there is any."""
    succeeded: Hit | None = None
    """The event by which ``success`` became ``yes``. It is none of those that are counted, and the incident goes on no longer by it."""

    @property
    def last(self) -> int:
        """The time of its newest event, of which there has to be one."""
        return self.window.newest if self.evidence is None else self.evidence.last

    @property
    def figures(self) -> Figures:
        """How much it is."""
        figures = self.window.figures if self.evidence is None else self.evidence.figures
        return figures if self.successes is None else self.successes.add_to(figures)

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        evidence = self.evidence and self.evidence.to_json()
        successes = self.successes and self.successes.to_json()
        return [self.window.hits, evidence, self.severity, self.success, successes, self.succeeded]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Case":
        """Return it again."""
        hits, evidence, severity, success, successes, succeeded = value
        return cls(
            Window(tuple(hit) for hit in hits),
            evidence and Evidence(*evidence),
            Severity(severity),
            success,
            successes and Successes.of_json(successes),
            succeeded and tuple(succeeded),
        )

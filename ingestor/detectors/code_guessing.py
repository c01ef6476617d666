"""Somebody tries authorization codes: invented ones (RFC 6819 section 4.4.1.3), or stolen ones without their verifiers (RFC 7636)."""

from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.evidence import Evidence, Figures
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.several import Several
from ingestor.detectors.parts.surge import MINUTE_MS, Subject
from ingestor.detectors.parts.weighed import Weighed
from ingestor.model.finding import Severity
from parsers.contract import Event, EventRow, Tags

REDEEMED = frozenset({"token.issued.authorization_code", "token.issued.other"})
"""A code was redeemed. The log of Hydra does not tell the grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGuessingOptions(Options):
    """How many codes are tried. Auth0 says of them that they should be close to none."""

    failures: int = 5
    """So many from one address are `medium`."""
    many_failures: int = 20
    """So many from one address are `high`, if no code was redeemed there; and `medium` from ``addresses`` different ones."""
    addresses: int = 5
    """See ``many_failures``."""
    window_minutes: int = 15
    """Within so many minutes."""


class ByAddress(Weighed[CodeGuessingOptions]):
    """One address tries codes of a client."""

    learns_from = REDEEMED

    def concerns(self, tags: Tags) -> bool:
        """Whether it is a code that was refused."""
        return tags.action == "token.pkce_failed" or tags.error == "invalid_code"

    def subject_of(self, event: Event) -> Subject:
        """Return the client and the address."""
        return Subject(event.tags.realm, event.tags.client_id, event.ip or "")

    def speaks_for(self, row: EventRow) -> Key:
        """Return the client and the address."""
        return row[2][6], row[2][1], row[4] or ""

    def severity_of(self, figures: Figures, options: CodeGuessingOptions) -> Severity | None:
        """Return high for many without a success; none while at least half as many succeed: a page that redeems its code twice."""
        if figures.events >= options.many_failures and not figures.successes:
            return Severity.HIGH
        is_enough = figures.events >= options.failures and figures.events > 2 * figures.successes
        return Severity.MEDIUM if is_enough else None

    def fewest(self, options: CodeGuessingOptions) -> int:
        """Return the smaller one of two options."""
        return min(options.failures, options.many_failures)

    def window_ms(self, options: CodeGuessingOptions) -> int:
        """Return the option's minutes."""
        return options.window_minutes * MINUTE_MS

    def is_success_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:  # noqa: ARG002
        """Whether so many were tried before that nobody would have by mistake."""
        return evidence.events >= self._options.many_failures


class Together(ByAddress):
    """Many addresses try codes of a client."""

    raised_by_success = False

    def subject_of(self, event: Event) -> Subject:
        """Return the client."""
        return Subject(event.tags.realm, event.tags.client_id)

    def speaks_for(self, row: EventRow) -> Key:
        """Return the client."""
        return row[2][6], row[2][1], ""

    def severity_of(self, figures: Figures, options: CodeGuessingOptions) -> Severity | None:
        """Return medium for many from many addresses."""
        is_many = figures.events >= options.many_failures and figures.ips >= options.addresses
        return Severity.MEDIUM if is_many and figures.events > 2 * figures.successes else None


class CodeGuessing(Several[CodeGuessingOptions]):
    """Finds it by client and address, or by client when many addresses share the work.

    Codes that have expired do not count: they were real, and their users slow. Failures count against the codes that are
    redeemed meanwhile.

    Blind: to one who redeems codes of his own between the others, and to a few tries among the logins of a busy client. A new version of a
    client that fails to send its verifier looks the same.
    """

    name = "code_guessing"
    title = "Authorization codes are tried"
    actions = frozenset({"token.validation_failed", "token.pkce_failed"}) | REDEEMED
    options = CodeGuessingOptions
    thresholds = ("failures", "many_failures")
    ways = (ByAddress, Together)


DETECTOR = CodeGuessing

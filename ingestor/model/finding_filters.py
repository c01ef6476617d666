"""Which findings are asked for. Pure."""

from dataclasses import dataclass

from ingestor.model.finding import RANKS, Severity, StoredFinding


@dataclass(frozen=True, slots=True)
class FindingFilters:
    """Conditions on findings; None is no condition. Texts are in the normal form of ``parsers.text``, as the stored ones are."""

    severity: Severity = Severity.LOW
    """At least so bad."""
    pattern: str | None = None
    client: str | None = None
    """That it is about, or that took part; an empty one matches those about none, or about many."""
    realm: str | None = None
    user: str | None = None

    def match(self, finding: StoredFinding) -> bool:
        """Whether a finding is asked for."""
        return (
            RANKS[Severity(finding.severity)] >= RANKS[self.severity]
            and self.pattern in {None, finding.pattern}
            and self.realm in {None, finding.realm}
            and self.user in {None, finding.user_id}
            and self._is_of_client(finding)
        )

    def _is_of_client(self, finding: StoredFinding) -> bool:
        return self.client in {None, finding.true_client} or self.client in finding.listed("clients")

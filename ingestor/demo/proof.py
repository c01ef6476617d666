"""The demo's claim, checked: what the endpoint wrote is what the store holds, each event once, and its attack is found. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingestor.demo.endpoint import Ledger
from ingestor.demo.personas import ATTACK_PATTERN, ATTACKED_CLIENT
from ingestor.model.accounting import Account
from ingestor.model.finding import StoredFinding
from ingestor.model.questions import Record


@dataclass(frozen=True, slots=True)
class Proof:
    """What was written, what became of it, and where the two differ (nowhere, if all is well)."""

    ledger: Ledger
    account: Account
    differences: tuple[str, ...]
    attack: StoredFinding | None = None
    """What was found of the attack on one client."""
    others: tuple[StoredFinding, ...] = ()
    """What else was found."""

    @property
    def holds(self) -> bool:
        """Whether every line became what it had to become, once, and the attack was found."""
        return not self.differences


def prove(
    ledger: Ledger,
    account: Account,
    records: Iterable[Record],
    source: str,
    key: Callable[[Record], str | None],
    findings: Sequence[StoredFinding],
) -> Proof:
    """Compare the endpoint's ledger with the daemon's account, with the stored events of ``source`` and with what was found.

    ``key`` returns what an event is known by.
    """
    by_action: Counter[str] = Counter()
    keys: Counter[str | None] = Counter()
    for record in records:
        if record.source == source:
            by_action[record.action] += 1
            keys[key(record)] += 1
    differences = [
        f"{name}: {has:,}, but must be {must:,}"
        for name, has, must in (
            ("lines read", account.read, ledger.lines),
            ("lines stored", account.stored, ledger.events),
            ("lines rejected", account.total_rejected, ledger.rejected),
            ("lines ignored", account.ignored, ledger.ignored),
            ("lines expired", account.expired, 0),
            ("lines pending", account.pending, 0),
            *(
                (f"{action} in the store", by_action[action], ledger.by_action[action])
                for action in sorted(by_action.keys() | ledger.by_action.keys())
            ),
            ("events written and not stored", len(ledger.keys - keys.keys()), 0),
            ("events stored and not written", len(keys.keys() - ledger.keys), 0),
            ("events stored more than once", sum(count > 1 for count in keys.values()), 0),
        )
        if has != must
    ]
    attack = next((finding for finding in findings if _is_attack(finding)), None)
    if attack is None:
        differences.append("no detector has found the attack")
    return Proof(ledger, account, tuple(differences), attack, tuple(each for each in findings if each is not attack))


def _is_attack(finding: StoredFinding) -> bool:
    return finding.pattern == ATTACK_PATTERN and finding.true_client == ATTACKED_CLIENT

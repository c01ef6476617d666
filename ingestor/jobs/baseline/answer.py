"""The answer of ``tokentail baseline``: of each detector its findings, its figures and what is proposed. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingestor.detectors.contract import Options
from ingestor.detectors.registry import detectors
from ingestor.jobs.baseline.distribution import Distribution
from ingestor.jobs.baseline.measuring import Found, Measurements
from ingestor.jobs.baseline.meter import REST, Client
from ingestor.jobs.baseline.proposal import Case, Proposal, Verdict, proposals
from ingestor.jobs.baseline.toml import toml_of
from ingestor.model.finding import RANKS, Severity
from ingestor.model.statistics import written_time

LITTLE_DAYS = 14
"""With fewer days of events there is little to go by: several detectors learn for so long, and weekends differ from weekdays."""


class Figure(NamedTuple):
    """What a detector compared with one of its thresholds, of one client or of all."""

    threshold: str
    client: Client | None
    today: int
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class OfDetector:
    """What came of one detector."""

    name: str
    enabled: bool
    found: Sequence[Found]
    figures: Sequence[Figure]
    """Of each threshold: of all clients together, then of each, those with the largest figures first."""
    proposals: Sequence[Proposal]

    @property
    def by_severity(self) -> Counter[Severity]:
        """How many findings there are of each severity."""
        return Counter(found.severity for found in self.found)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; None is no condition."""

    client: str | None = None
    realm: str | None = None
    harmless: Collection[str] = ()
    """Ids of findings, or a severity: all up to that."""

    def of(self, client: Client) -> bool:
        """Whether a client is asked for."""
        return self.realm in {None, client[0]} and self.client in {None, client[1]}

    def has(self, found: Found) -> bool:
        """Whether a finding is asked for."""
        return self.of(found.client) or (self.realm in {None, found.client[0]} and self.client in found.clients)

    def harmless_of(self, found: Sequence[Found]) -> set[str]:
        """Return the ids of findings that are called harmless."""
        worst = max((RANKS[Severity(word)] for word in self.harmless if word in set(Severity)), default=-1)
        return {each.id for each in found if each.id in self.harmless or RANKS[each.severity] <= worst}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The whole answer."""

    measured: Measurements
    detectors: Sequence[OfDetector]
    toml: str
    """To paste; empty when nothing is proposed."""
    remaining: Sequence[Found]
    """Findings above low that there would still be, and of which nobody has said that they are harmless."""


def answer_of(measured: Measurements, options: Mapping[str, Options], asked: Asked, names: Collection[str]) -> Baseline:
    """Return the answer about the detectors of these names. ``options``: of today, by detector."""
    of_each, changed, silenced = [], {}, set[str]()
    for name, kind in detectors().items():
        if name not in names:
            continue
        today = options.get(name) or kind.options()
        found = [each for each in measured.found.values() if each.pattern == name]
        meter = measured.meters.get(name)
        made: list[Proposal] = []
        figures: list[Figure] = []
        if meter is not None:
            case = Case(today, kind.options(), meter, found, asked.harmless_of(found), measured.days_to_recur)
            made = [each for each in proposals(case) if each.client is None or asked.of(each.client)]
            figures = [figure for threshold in meter.thresholds for figure in _figures(case, threshold, asked)]
        wanted = [each for each in made if each.verdict is Verdict.CHANGE]
        if wanted:
            changed[name] = (today, kind.options(), wanted)
            silenced.update(each for proposal in wanted for each in proposal.silences)
        of_each.append(OfDetector(name, today.enabled, list(filter(asked.has, found)), figures, made))
    return Baseline(
        measured,
        of_each,
        toml_of(changed),
        [
            found
            for each in of_each
            for found in sorted(each.found, key=lambda found: -RANKS[found.severity])
            if found.severity is not Severity.LOW and found.id not in silenced | asked.harmless_of([found])
        ],
    )


def _figures(case: Case, threshold: str, asked: Asked) -> list[Figure]:
    by_client = case.meter.by_client(threshold)
    shown = {client: of_it for client, of_it in by_client.items() if client not in {None, REST} and asked.of(client)}
    total = Distribution()
    for each in by_client.values() if asked.client is None and asked.realm is None else shown.values():
        total = total + each
    largest = sorted(shown, key=lambda client: (-shown[client].largest, client))
    return [
        Figure(threshold, None, case.today(threshold, None), total),
        *(Figure(threshold, client, case.today(threshold, client), shown[client]) for client in largest),
    ]


def to_json(answer: Baseline) -> dict[str, Any]:
    """Return the object of ``baseline --json``, without the period that was asked for."""
    measured = answer.measured
    times = (measured.first_ms, measured.last_ms) if measured.events else (None, None)
    first, last = (None if time is None else written_time(time * 1_000_000, None) for time in times)
    return {
        "events": measured.events,
        "first": first,
        "last": last,
        "detectors": [_detector(each) for each in answer.detectors],
        "remaining": [found.id for found in answer.remaining],
        "toml": answer.toml,
    }


def _detector(each: OfDetector) -> dict[str, Any]:
    return {
        "detector": each.name,
        "enabled": each.enabled,
        "findings": {severity.value: each.by_severity[severity] for severity in Severity},
        "ids": [found.id for found in each.found if found.severity is not Severity.LOW],
        "figures": [
            {
                "threshold": figure.threshold,
                **_client(figure.client),
                "today": figure.today,
                "count": figure.distribution.count,
                **{f"p{percent}": figure.distribution.percentile(percent) for percent in (50, 95, 99)},
                "max": figure.distribution.largest,
            }
            for figure in each.figures
        ],
        "proposals": [
            {
                "threshold": proposal.threshold,
                **_client(proposal.client),
                "verdict": proposal.verdict.value,
                "today": proposal.today,
                "recurs": proposal.recurs,
                "value": proposal.value,
                "silences": list(proposal.silences),
            }
            for proposal in each.proposals
        ],
    }


def _client(client: Client | None) -> dict[str, str | None]:
    realm, client_id = client or ("", "")
    return {"realm": realm or None, "client_id": client_id or None}

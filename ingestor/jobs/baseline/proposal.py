"""Which thresholds would fit: above what recurs, never below the default, and never so that a grave finding is lost. Pure.

``docs/baseline.md`` says the rule in words.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple

from ingestor.detectors.contract import Options
from ingestor.jobs.baseline.distribution import note_day, recurring
from ingestor.jobs.baseline.measuring import Found
from ingestor.jobs.baseline.meter import DAY_MS, REST, Client, ReachMeter, Stretch
from ingestor.model.finding import RANKS, Severity, slot_of

MARGIN: Final = 1.5
"""A threshold is so many times what recurs."""
MOST_TABLES: Final = 3
"""So many clients get numbers of their own, rather than all another number."""
GRAVE: Final = Severity.HIGH


class Verdict(Enum):
    """What becomes of a threshold."""

    FITS = "fits"
    CHANGE = "change"
    WOULD_SILENCE = "would silence"
    """Another number would fit the traffic, and lose a grave finding."""
    NO_NUMBER = "no number"
    """The traffic reaches as much as the detector can count."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a threshold: of one client, or of all that have no number of their own."""

    threshold: str
    client: Client | None
    today: int
    recurs: int
    """What is reached on enough days to be usual, or by what is known to be harmless."""
    verdict: Verdict
    value: int
    """What would fit."""
    silences: tuple[str, ...] = ()
    """Ids of the findings that the value would have lost, by itself or with the other proposals for the detector."""


class Case(NamedTuple):
    """A detector with what was measured of it."""

    options: Options
    """Of today."""
    defaults: Options
    meter: ReachMeter
    found: Sequence[Found]
    harmless: Collection[str]
    """Ids of findings that somebody knows to be harmless."""
    days_to_recur: int
    """On so many days something has to happen to be usual."""

    def today(self, threshold: str, client: Client | None) -> int:
        """Return a threshold of a client, or of all others."""
        options = self.options.of(*client) if client else self.options
        value: int = getattr(options, threshold)
        return value


def proposals(case: Case) -> list[Proposal]:
    """Return what is proposed for each threshold of a detector; for one that fits, that it does."""
    behind = _behind(case)
    made = [proposal for threshold in case.meter.thresholds for proposal in _of_threshold(case, threshold, behind)]
    while True:
        lost = _silenced(case, made, behind)
        grave = {found.id for found in lost if RANKS[found.severity] >= RANKS[GRAVE] and found.id not in case.harmless}
        guilty = {
            id(each) for each in made if any(_loses(each, case, behind[found]) for found in lost if found.id in grave)
        }
        if not guilty:
            return [replace(each, silences=_ids(each, case, lost, behind) or each.silences) for each in made]
        kept_for = [found for found in lost if found.id in grave]
        made = [
            replace(each, verdict=Verdict.WOULD_SILENCE, silences=_ids(each, case, kept_for, behind))
            if id(each) in guilty
            else each
            for each in made
        ]


def _behind(case: Case) -> Mapping[Found, list[Stretch]]:
    """Return the stretches that made each finding, as far as they are known."""
    by_slot: dict[int, list[Stretch]] = defaultdict(list)
    for stretch in case.meter.beyond:
        by_slot[slot_of(*stretch.subject)].append(stretch)
    return {
        found: [
            each
            for each in by_slot.get(found.slot, ())
            if each.first_ms <= found.last_ms and each.last_ms >= found.first_ms
        ]
        for found in case.found
    }


def _of_threshold(case: Case, threshold: str, behind: Mapping[Found, list[Stretch]]) -> list[Proposal]:
    recurs = _recurs(case, threshold, behind)
    others = recurs.pop(None, 0)
    raised = [client for client in recurs if _needed(recurs[client]) > case.today(threshold, client)]
    raised.sort(key=lambda client: (-recurs[client], client or ("", "")))
    apart = {client for client in recurs if case.today(threshold, client) != case.today(threshold, None)}
    """Those that have numbers of their own today."""
    standing_out = [client for client in raised if client not in apart]
    own, rest = standing_out[:MOST_TABLES], standing_out[MOST_TABLES:]
    if rest:  # who does much the same as these needs no number of its own
        own = [client for client in own if recurs[client] > 2 * max(others, recurs[rest[0]])]
    usual = max([others, *(recurs[client] for client in recurs if client not in {*own, *apart})])
    made = [_proposal(case, threshold, None, usual)]
    return [
        *made,
        *(_proposal(case, threshold, client, recurs[client]) for client in raised if client in {*own, *apart}),
    ]


def _recurs(case: Case, threshold: str, behind: Mapping[Found, list[Stretch]]) -> dict[Client | None, int]:
    """Return what recurs, by client. What is part of a grave finding does not count; what is harmless counts at once."""
    number = case.meter.thresholds.index(threshold)
    by_day = {client: of_it.days() for client, of_it in case.meter.by_client(threshold).items() if client != REST}
    grave, harmless = set[int](), set[int]()
    for found, stretches in behind.items():
        if found.id in case.harmless:
            harmless |= set(map(id, stretches))
        elif RANKS[found.severity] >= RANKS[GRAVE]:
            grave |= set(map(id, stretches))
    known: dict[Client | None, int] = defaultdict(int)
    for stretch in case.meter.beyond:
        value = stretch.values[number]
        if id(stretch) in harmless:
            known[stretch.client] = max(known[stretch.client], value)
        if value and id(stretch) not in grave and stretch.client in by_day:
            note_day(by_day[stretch.client], value, stretch.first_ms // DAY_MS)
    return {client: max(recurring(days, case.days_to_recur), known[client]) for client, days in by_day.items()}


def _proposal(case: Case, threshold: str, client: Client | None, recurs: int) -> Proposal:
    today, least = case.today(threshold, client), getattr(case.defaults, threshold)
    most = case.meter.most[case.meter.thresholds.index(threshold)]
    needed = _needed(recurs)
    if needed > today:
        if most and recurs >= most:
            return Proposal(threshold, client, today, recurs, Verdict.NO_NUMBER, most)
        return Proposal(threshold, client, today, recurs, Verdict.CHANGE, min(needed, most) if most else needed)
    lower = max(least, needed)
    if client is None and lower < today:
        return Proposal(threshold, client, today, recurs, Verdict.CHANGE, lower)
    return Proposal(threshold, client, today, recurs, Verdict.FITS, today)


def _needed(recurs: int) -> int:
    """Return the margin above a number, to two digits: nobody believes in more."""
    needed, unit = -int(-recurs * MARGIN // 1), 1
    while needed // unit >= 100:
        unit *= 10
    return -(-needed // unit) * unit


def _silenced(case: Case, made: Iterable[Proposal], behind: Mapping[Found, list[Stretch]]) -> list[Found]:
    """Return the findings that would not be made with all these proposals."""
    proposed = {(each.threshold, each.client): each.value for each in made if each.verdict is Verdict.CHANGE}

    def is_found(stretch: Stretch) -> bool:
        return any(
            value and value >= _threshold(case, proposed, threshold, stretch.client)
            for threshold, value in zip(case.meter.thresholds, stretch.values, strict=True)
        )

    return [found for found, stretches in behind.items() if stretches and not any(map(is_found, stretches))]


def _threshold(
    case: Case, proposed: Mapping[tuple[str, Client | None], int], threshold: str, client: Client | None
) -> int:
    if (threshold, client) in proposed:
        return proposed[threshold, client]
    today, of_all = case.today(threshold, client), case.today(threshold, None)
    return proposed.get((threshold, None), of_all) if today == of_all else today


def _loses(proposal: Proposal, case: Case, stretches: Iterable[Stretch]) -> bool:
    """Whether a proposal is what silences these."""
    number = case.meter.thresholds.index(proposal.threshold)
    return proposal.verdict is Verdict.CHANGE and any(
        proposal.today <= each.values[number] < proposal.value and proposal.client in {None, each.client}
        for each in stretches
    )


def _ids(
    proposal: Proposal, case: Case, lost: Iterable[Found], behind: Mapping[Found, list[Stretch]]
) -> tuple[str, ...]:
    return tuple(sorted(found.id for found in lost if _loses(proposal, case, behind[found])))

"""Give each event of a block its identity: outcomes of a parser become points, rejections and counts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ingestor.model.identity import EVENT_STRIDE, MILLISECOND_SLOTS, SECOND_SLOTS
from ingestor.model.points import Point
from ingestor.pipeline.admission import Admission
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Rejection, Tags, events_of


@dataclass(slots=True)
class BlockResult:
    """What a block of lines came to."""

    points: list[Point] = field(default_factory=list)
    rejections: list[tuple[int, Rejection]] = field(default_factory=list)
    """With the index of the line within the block."""
    several: dict[int, int] = field(default_factory=dict)
    """By the index of the line: how many events it became, where these are more than one."""
    ignored: int = 0
    blank: int = 0

    @property
    def counted(self) -> int:
        """What the block adds to ``read``: its lines that are not blank, one of several events as often as it has events."""
        return len(self.points) + len(self.rejections) + self.ignored


def events_in(outcomes: Iterable[Outcome]) -> list[EventRow]:
    """Return the events of a block, in the order of the points."""
    events: list[EventRow] = []
    for outcome in outcomes:
        if outcome.__class__ is tuple:
            events.append(outcome)  # type: ignore[arg-type]  # as below
        elif outcome.__class__ is list:
            events += events_of(outcome)
    return events


def lines_of_events(outcomes: Sequence[Outcome], placed: BlockResult) -> list[int]:
    """Return the index of the line of each of the points, in their order."""
    if not placed.several:
        return [index for index, outcome in enumerate(outcomes) if outcome.__class__ is tuple]
    return [index for index, outcome in enumerate(outcomes) for _ in events_of(outcome)]


def to_points(
    outcomes: Sequence[Outcome],
    *,
    h: int,
    ordinal: int,
    admission: Admission,
    host: str = "",
    sequence_of: Callable[[int], int] = int,
    repeat: bool = False,
) -> BlockResult:
    r"""Place the outcomes of consecutive lines; ``ordinal`` is the number of ``\n`` before the first of them.

    ``h``, ``host``: the generation's (no host: the admission's). ``sequence_of`` tells a line's place in the source by its
    ordinal. ``repeat``: these lines were counted before, so they admit no new client, and each is resolved by where its
    client was admitted. Every line takes an ordinal, whatever became of it; the k-th of several events stands k
    ``EVENT_STRIDE`` behind the line's place.
    """
    placed = BlockResult()
    add = placed.points.append
    series: dict[Tags, int] = {} if repeat else admission.settled(host)
    slot = h + ordinal
    for outcome in outcomes:
        if outcome.__class__ is tuple:  # an event: by far the most frequent, so it is tested first and cheaply
            time_ms, fraction, tags, user_id, ip, user_agent, scopes, expires_in, event_id, error_detail = outcome  # type: ignore[misc]  # mypy does not narrow by class
            client = None
            try:
                number = series[tags]
            except KeyError:
                found = admission.resolve(tags, sequence_of(slot - h), repeat=repeat, host=host)
                number, client = found.series, found.client
                if found.settled:
                    series[tags] = number
            add(
                (
                    time_ms * MILLISECOND_SLOTS + slot % (SECOND_SLOTS if fraction == "" else MILLISECOND_SLOTS),
                    number,
                    user_id,
                    ip,
                    user_agent,
                    scopes,
                    client,
                    expires_in,
                    fraction,
                    event_id,
                    error_detail,
                )
            )
        elif outcome is IGNORED:
            placed.ignored += 1
        elif outcome is BLANK:
            placed.blank += 1
        elif outcome.__class__ is list:
            events = events_of(outcome)
            placed.several[slot - h - ordinal] = len(events)
            for number, event in enumerate(events):
                shifted = h + number * EVENT_STRIDE
                placed.points += to_points(
                    [event],
                    h=shifted,
                    ordinal=slot - h,
                    admission=admission,
                    host=host,
                    sequence_of=sequence_of,
                    repeat=repeat,
                ).points
        elif isinstance(outcome, Rejection):
            placed.rejections.append((slot - h - ordinal, outcome))
        slot += 1
    return placed

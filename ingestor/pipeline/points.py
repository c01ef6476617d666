"""Give each event of a block its identity: outcomes of a parser become points, rejections and counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingestor.model.identity import MILLISECOND_SLOTS, SECOND_SLOTS
from ingestor.model.points import Point
from ingestor.pipeline.admission import Admission
from parsers.contract import BLANK, IGNORED, Outcome, Rejection, Tags


@dataclass(slots=True)
class BlockResult:
    """What a block of lines came to."""

    points: list[Point] = field(default_factory=list)
    rejections: list[tuple[int, Rejection]] = field(default_factory=list)
    """With the index of the line within the block."""
    ignored: int = 0
    blank: int = 0


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
    client was admitted. Every line takes an ordinal, whatever became of it.
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
        elif isinstance(outcome, Rejection):
            placed.rejections.append((slot - h - ordinal, outcome))
        slot += 1
    return placed

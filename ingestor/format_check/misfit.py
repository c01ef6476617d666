"""Why a log is not understood: what it looks like, which rule its lines break, one of them, and what to do. Pure."""

import itertools
from collections import Counter
from typing import Final, NamedTuple

from ingestor.format_check.understanding import NOTHING_KNOWN, Grasp, Understanding, judged
from parsers.contract import BLANK, IGNORED, Outcome, Parser, Reason, Rejection, events_of
from parsers.formats.encodings import Encoding, as_utf8, encoding_of
from parsers.formats.lookalike import lookalike
from parsers.text import cap

EXAMPLE_BYTES: Final = 300
_NAMED: Final = frozenset({Reason.MISSING_KEY, Reason.WRONG_TYPE, Reason.BAD_TIMESTAMP, Reason.OUT_OF_RANGE})
"""Reasons whose details are the same for all lines of a kind."""
_LIST_ADVICE: Final = "`tokentail rejected list` shows the lines, `tokentail explain PATH` what becomes of each."


class Sample(NamedTuple):
    """Lines of a log, to find out with."""

    data: bytes
    """Whole lines."""
    head: bytes = b""
    """How the file begins, which tells its encoding."""
    has_newest: bool = True
    """Whether its last line is the newest of the log."""


class Misfit(NamedTuple):
    """A log of which nothing, almost nothing or not all becomes an event. All texts are safe to show."""

    path: str
    understanding: Understanding
    looks_like: str = ""
    """Empty when no line of it could be looked at."""
    reason: str = ""
    """The commonest."""
    example: str = ""
    advice: str = _LIST_ADVICE

    @property
    def told(self) -> str:
        """All of it in one row of text, without the path."""
        looks = f": it looks like {self.looks_like}" if self.looks_like else ""
        parts = [self.understanding.told() + looks]
        if self.reason:
            parts.append(f"most often: {self.reason}")
        if self.example:
            parts.append(f"such as: {self.example}")
        return f"{'; '.join(parts)}. {self.advice}"

    def as_json(self) -> dict[str, object]:
        """Return what ``--json`` prints of it."""
        return {
            "path": self.path,
            "events": self.understanding.events,
            "rejected": self.understanding.rejected,
            "ignored": self.understanding.ignored,
            "wrong": self.understanding.wrong,
            "looks_like": self.looks_like,
            "reason": self.reason,
            "example": self.example,
            "advice": self.advice,
        }


def outcomes_of(sample: Sample, parser: Parser, now_ms: int) -> list[tuple[bytes, Outcome]]:
    """Return the lines of a sample that are not blank, each with what becomes of it."""
    if not sample.data:
        return []
    lines = sample.data.removesuffix(b"\n").split(b"\n")
    outcomes = parser.parse(sample.data, now_ms)
    return [(line, outcome) for line, outcome in zip(lines, outcomes, strict=True) if outcome is not BLANK]


def understanding_of(outcomes: list[tuple[bytes, Outcome]]) -> Understanding:
    """Count what became of lines."""
    rejected = sum(isinstance(outcome, Rejection) for _, outcome in outcomes)
    ignored = sum(outcome is IGNORED for _, outcome in outcomes)
    return Understanding(len(outcomes) - rejected - ignored, rejected, ignored)


def as_of_now(
    outcomes: list[tuple[bytes, Outcome]], whole: Understanding = NOTHING_KNOWN, *, has_newest: bool = True
) -> Understanding:
    """Judge a log by its newest lines and by ``whole``, what is known of all of it."""
    if whole.lines and not has_newest:
        return whole
    last = list(itertools.takewhile(lambda line: not events_of(line[1]), reversed(outcomes)))
    if not has_newest:
        last = []
    return judged(understanding_of(outcomes), understanding_of(last), whole)


def misfit(path: str, understanding: Understanding, sample: Sample, parser: Parser, now_ms: int) -> Misfit:
    """Find out why a log is not understood, from some of its lines."""
    unclear = [
        (line, outcome)
        for line, outcome in outcomes_of(sample, parser, now_ms)
        if not events_of(outcome) and not (understanding.spoilt and outcome is IGNORED)
    ]
    encoding = encoding_of(sample.head)
    like = lookalike([line for line, _ in unclear], sample.head)
    if like is None:
        return Misfit(path, understanding)
    if encoding is not None:
        return Misfit(path, understanding, like.name, "", _decoded(sample, encoding, parser), like.advice)
    reasons = Counter(_reason(outcome) for _, outcome in unclear)
    reason, _ = reasons.most_common(1)[0]
    alike = [line for line, outcome in unclear if _reason(outcome) == reason]
    middle = len(alike) // 2  # no banner at the start or the end, and no line with a bracket alone
    example = cap(parser.redact(max(alike[max(0, middle - 2) : middle + 3], key=len)), EXAMPLE_BYTES)
    advice = _LIST_ADVICE if understanding.grasp is Grasp.PARTLY else like.advice
    return Misfit(path, understanding, like.name, reason, example, advice)


def _reason(outcome: Outcome) -> str:
    if not isinstance(outcome, Rejection):
        return "ignored, since its action is no token operation"
    return f"{outcome.reason}: {outcome.detail}" if outcome.reason in _NAMED else str(outcome.reason)


def _decoded(sample: Sample, encoding: Encoding, parser: Parser) -> str:
    """Return a line of text in another encoding; nothing of what is no text."""
    if not encoding.codec:
        return ""
    line = as_utf8(sample.head, encoding).split(b"\n")[0]
    return cap(parser.redact(line), EXAMPLE_BYTES)

"""The parser that stands before all others: it takes off what is around lines, and puts together what was split."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from parsers.contract import (
    BLANK,
    IGNORED,
    Adviser,
    NoEvent,
    Outcome,
    Parser,
    Reason,
    Rejection,
    are_events,
    recognises,
    rule_of,
)
from parsers.detection import DetectingParser
from parsers.envelopes.collectors import HEAD_BYTES
from parsers.envelopes.kinds import Taken
from parsers.envelopes.quick import unwrapped
from parsers.envelopes.records import MOST_DEEP, innermost, records
from parsers.envelopes.taking import may_be_wrapped, outermost, taken_off

VERSION: Final = "1"
"""As ``Parser.version``: it moves when an envelope is taken off otherwise."""
SPLIT: Final = Rejection(Reason.SPLIT_RECORD, "a record that was split, and whose parts are not all there")
LEFT_OUT: Final = Rejection(Reason.SPLIT_RECORD, "MESSAGE is null, since it was too long: `journalctl --all` has it")


class EnvelopeParser:
    """Any parser, which gets the lines as their provider wrote them.

    The parts of a record but the last are ignored; the last one has the outcome of all. What the parser makes an event of as it
    stands is in no envelope, whatever it looks like.
    """

    def __init__(self, parser: Parser, *, is_ours: bool) -> None:
        """``is_ours``: of a line with its envelope the parser makes no other event than of what is within, so it need not be asked."""
        self.parser = parser
        self.name = parser.name
        self.version = f"{parser.version} in envelopes {VERSION}"
        self.options: Collection[str] = parser.options
        self._is_ours = is_ours

    @property
    def counts(self) -> Mapping[str, int]:
        """What the parser left out."""
        return self.parser.counts

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line; see ``parsers.contract.Parser``. A block holds whole records (``records.whole``)."""
        return self._parse(data, now_ms) if data else []

    def redact(self, line: bytes) -> str:
        """Text of what is in the envelope that is safe to show and keep; of several lines, the text of the record that ends there."""
        return self.parser.redact(innermost(line.split(b"\n"))[0])

    def named(self, line: bytes, now_ms: int) -> str:
        """Return who wrote a line, and what is around it: ``native in docker``. ``line``: as ``redact`` takes it."""
        text, envelopes = innermost(line.split(b"\n"))
        parser = self.parser
        name = parser.provider_of(text, now_ms) if isinstance(parser, DetectingParser) else parser.name
        return " in ".join((name, *(envelope.short for envelope in reversed(envelopes))))

    def named_most(self, lines: Iterable[bytes], now_ms: int) -> str:
        """Return what ``named`` says of most of these lines; empty where there are none."""
        found = Counter(self.named(line, now_ms) for line in lines).most_common(1)
        return found[0][0] if found else ""

    def recognises(self, line: bytes) -> bool | None:
        """Tell whether the parser recognises what is in a line, as ``parsers.contract.recognises`` does."""
        return recognises(self.parser, innermost(line.split(b"\n"))[0])

    def rule_of(self, line: bytes) -> str:
        """Return which rule of the parser decides about a line, for people. ``line``: as ``redact`` takes it."""
        return rule_of(self.parser, innermost(line.split(b"\n"))[0])

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what the parser says about its provider; see ``parsers.contract.Adviser``."""
        if not isinstance(self.parser, Adviser):
            return []
        return self.parser.advice([(innermost([line])[0], outcome) for line, outcome in lines])

    def _parse(self, data: bytes, now_ms: int, depth: int = 0, bare: Collection[int] = ()) -> list[Outcome]:
        """Parse lines off which ``depth`` envelopes were taken. ``bare``: the indexes of those that are in none any more."""
        if depth == MOST_DEEP:
            return self.parser.parse(data, now_ms)
        take = _next_taken if depth else taken_off
        end = data.find(b"\n")
        first = take(data[:end] if end >= 0 else data) if self._is_ours and 0 not in bare else None
        if first is None:
            return self._parse_as_it_stands(data, now_ms, depth, bare)
        lines = data.removesuffix(b"\n").split(b"\n")
        if not bare and len(first.envelopes) == 1 and (inner := unwrapped(first.envelopes[0], lines)) is not None:
            outcomes = self._parse(inner, now_ms, depth + 1)
            return [IGNORED if outcome is BLANK else outcome for outcome in outcomes]
        takens = [None if index in bare else take(line) for index, line in enumerate(lines)]
        plain = {index: line for index, line in enumerate(lines) if takens[index] is None}
        return self._parse_taken(takens, [IGNORED] * len(lines), plain, now_ms, depth)

    def _parse_as_it_stands(self, data: bytes, now_ms: int, depth: int, bare: Collection[int]) -> list[Outcome]:
        """Have the parser look at the lines first, and open those alone that it makes no event of."""
        outcomes = self.parser.parse(data, now_ms)
        if are_events(outcomes):
            return outcomes
        others = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Rejection | NoEvent)]
        if not others:
            return outcomes
        lines, take = data.removesuffix(b"\n").split(b"\n"), _next_taken if depth else taken_off
        takens: list[Taken | None] = [None] * len(lines)
        for index in [index for index in others if may_be_wrapped(lines[index][:HEAD_BYTES])]:
            if index not in bare:
                takens[index] = take(lines[index])
        return self._parse_taken(takens, outcomes, {}, now_ms, depth) if any(takens) else outcomes

    def _parse_taken(
        self,
        takens: Sequence[Taken | None],
        outcomes: list[Outcome],
        plain: Mapping[int, bytes],
        now_ms: int,
        depth: int,
    ) -> list[Outcome]:
        """Parse what was taken off lines, and the ``plain`` ones among them; put what becomes of them into ``outcomes``."""
        texts, done = dict(plain), set(plain)
        for index, taken in enumerate(takens):
            if taken is not None:
                outcomes[index] = IGNORED
        for record in records(takens):
            if record.is_split:
                taken = takens[record.last]
                outcomes[record.last] = SPLIT if taken is None or taken.more else LEFT_OUT
                continue
            texts[record.last] = record.text
            if depth + len(record.envelopes) >= MOST_DEEP:
                done.add(record.last)
        if not texts:
            return outcomes
        data = b"\n".join(texts.values()) + b"\n"
        bare = frozenset(place for place, index in enumerate(texts) if index in done)
        answers = self._parse(data, now_ms, depth + 1, bare)
        for index, answer in zip(texts, answers, strict=True):
            outcomes[index] = IGNORED if answer is BLANK and index not in plain else answer  # something was around it
        return outcomes


def _next_taken(line: bytes) -> Taken | None:
    """Return what is in an envelope within another one. What it has split is not put together: there is no telling where it ends."""
    taken = outermost(line)
    return taken._replace(stream=None, text=None) if taken is not None and taken.more else taken

"""Which provider wrote a line: asked for each line, because one file may hold several formats."""

from collections.abc import Sequence

from parsers.contract import IGNORED, Adviser, Outcome, Parser, Rejection, events_of


class DetectingParser:
    """Asks the providers in order, for each line.

    The first event wins, so a line's outcome depends on nothing but the line. When nobody makes an event of it, the first
    who knows it for something else (ignored, blank) does, and else the first provider's rejection stands.
    """

    name = "auto"

    def __init__(self, parsers: Sequence[Parser]) -> None:
        """``parsers`` are at least one, the likeliest first."""
        self.parsers = tuple(parsers)
        # A line goes to whoever makes an event of it first, so all of them decide, in their order.
        self.version = ", ".join(f"{parser.name} {parser.version}" for parser in parsers)
        self.options = frozenset[str]().union(*(parser.options for parser in parsers))

    @property
    def counts(self) -> dict[str, int]:
        """The providers' counts, added up."""
        total: dict[str, int] = {}
        for parser in self.parsers:
            for name, count in parser.counts.items():
                total[name] = total.get(name, 0) + count
        return total

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line."""
        first, *others = self.parsers
        outcomes = first.parse(data, now_ms)
        unclear = [i for i, outcome in enumerate(outcomes) if outcome is IGNORED or isinstance(outcome, Rejection)]
        if unclear and others:
            lines = data.split(b"\n")
            for parser in others:
                if not unclear:
                    break
                answers = parser.parse(b"\n".join([lines[i] for i in unclear]) + b"\n", now_ms)
                for i, answer in zip(unclear, answers, strict=True):
                    outcomes[i] = _better(outcomes[i], answer)
                unclear = [i for i in unclear if not events_of(outcomes[i])]
        return outcomes

    def detect(self, line: bytes, now_ms: int) -> Parser:
        """Return the provider whose outcome ``parse`` gives for this line."""
        data = line.rstrip(b"\n") + b"\n"
        outcome = self.parse(data, now_ms)
        return next(parser for parser in self.parsers if parser.parse(data, now_ms) == outcome)

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what the parsers say about their providers; see ``parsers.contract.Adviser``."""
        return [text for parser in self.parsers if isinstance(parser, Adviser) for text in parser.advice(lines)]

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        return self.parsers[0].redact(line)


def _better(known: Outcome, answer: Outcome) -> Outcome:
    if events_of(answer) or (isinstance(known, Rejection) and not isinstance(answer, Rejection)):
        return answer
    return known

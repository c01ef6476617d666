"""Which provider wrote a line: asked for each line, because one file may hold several formats."""

from collections.abc import Sequence

from parsers.contract import IGNORED, Adviser, Outcome, Parser, Rejection, are_events, events_of, recognises, rule_of


class DetectingParser:
    """Asks the providers, for each line.

    A provider that has a method ``recognises`` is asked for the lines that it recognises, and others for all. The first event in
    the order of the providers wins. When nobody makes an event of a line, the first who recognises it says what it is: broken, or no
    token operation. Lines that nobody recognises are the others' to judge: whoever knows one for something else (ignored,
    blank) does, and else the first rejection stands.

    What a line becomes depends on nothing but the line: no two providers make an event of the same one, which a test holds them
    to. So whoever made events of all of the last block is asked first, or whoever recognises the first line, and most blocks are
    done then.
    """

    name = "auto"

    def __init__(self, parsers: Sequence[Parser]) -> None:
        """``parsers`` are at least one, the likeliest first."""
        self.parsers = tuple(parsers)
        # A line goes to whoever makes an event of it first, so all of them decide, in their order.
        self.version = ", ".join(f"{parser.name} {parser.version}" for parser in parsers)
        self._likely: Parser | None = None
        """Who made events of all lines of the last block."""
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
        likely = self._likely or self._provider(data.lstrip(b"\n").split(b"\n", 1)[0])
        outcomes = likely.parse(data, now_ms)
        if are_events(outcomes):
            self._likely = likely
            return outcomes
        self._likely = None
        unclear = [i for i, outcome in enumerate(outcomes) if outcome is IGNORED or isinstance(outcome, Rejection)]
        if unclear and len(self.parsers) > 1:
            lines = data.split(b"\n")
            answered = {i: outcomes[i] for i in unclear}
            for i, outcome in self._judge({i: lines[i] for i in unclear}, likely, answered, now_ms).items():
                outcomes[i] = outcome
        return outcomes

    def provider_of(self, line: bytes, now_ms: int) -> str:
        """Return the name of the provider whose outcome ``parse`` gives for this line."""
        data = line.rstrip(b"\n") + b"\n"
        outcome = self.parse(data, now_ms)
        by_order = (parser for parser in self.parsers if parser.parse(data, now_ms) == outcome)
        provider = self._provider(line)
        return provider.name if provider.parse(data, now_ms) == outcome else next(by_order, provider).name

    def rule_of(self, line: bytes) -> str:
        """Return which rule of its provider decides about a line, for people; empty where none does."""
        return rule_of(self._provider(line), line)

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what the parsers say about their providers; see ``parsers.contract.Adviser``."""
        return [text for parser in self.parsers if isinstance(parser, Adviser) for text in parser.advice(lines)]

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        return self._provider(line).redact(line)

    def _provider(self, line: bytes) -> Parser:
        """Return who recognises a line, and else the first."""
        return next((parser for parser in self.parsers if recognises(parser, line)), self.parsers[0])

    def _judge(
        self, lines: dict[int, bytes], likely: Parser, answered: dict[int, Outcome], now_ms: int
    ) -> dict[int, Outcome]:
        """Return what lines are. ``answered``: what ``likely`` has said of them, which was no event."""
        found: dict[int, Outcome] = {}
        known: set[int] = set()
        """Lines that somebody recognises."""
        for parser in self.parsers:
            recognised = {
                i: recognises(parser, line) for i, line in lines.items() if not events_of(found.get(i, IGNORED))
            }
            asked = [i for i, is_own in recognised.items() if is_own is not False]
            if parser is likely:
                answers: Sequence[Outcome] = [answered[i] for i in asked]
            elif asked:
                answers = parser.parse(b"\n".join([lines[i] for i in asked]) + b"\n", now_ms)
            else:
                continue
            for i, answer in zip(asked, answers, strict=True):
                is_first_to_know = bool(recognised[i]) and i not in known
                if events_of(answer) or is_first_to_know or i not in found:
                    found[i] = answer
                elif i not in known:
                    found[i] = _better(found[i], answer)
                if recognised[i]:
                    known.add(i)
        return {i: found.get(i, answered[i]) for i in lines}


def _better(known: Outcome, answer: Outcome) -> Outcome:
    return answer if isinstance(known, Rejection) and not isinstance(answer, Rejection) else known

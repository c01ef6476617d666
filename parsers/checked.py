"""A parser whose faults cost a line each, and never the lines around it or the daemon."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, cast

from parsers.builder import DAY_MS
from parsers.contract import Adviser, NoEvent, Outcome, Parser, Reason, Rejection, recognises, rule_of
from parsers.faults import kind_and_place
from parsers.form import fault_of_events
from parsers.redaction.lines import SHOWN_BYTES, AllowedKeys, redact_line
from parsers.redaction.redact import redact_text
from parsers.text import cap, clean, normal_field

Report = Callable[[str], None]
"""Takes one sentence for whoever runs tokentail."""

_NOTHING_KNOWN: Final = AllowedKeys(())
_REASONS: Final = frozenset(Reason)
_MOST_REPORTED: Final = 100


class CheckedParser:
    """Holds a parser to its contract.

    When the parser raises an exception, its block is parsed line by line, and the lines with which it does so again are rejected
    as ``parser_failed``. Of a parser of other people (``strict``) outcomes are looked at as well, since nothing else does so before
    they are stored: there are as many as lines, and each is one of the contract's. Ours are held to that by ``parsers.testing``
    alone: counting the lines of a block costs the native parser a fifteenth of its speed.
    """

    def __init__(self, parser: Parser, name: str, *, strict: bool, report: Report = lambda _: None) -> None:
        """``name``: what the configuration calls it. ``report`` is called once for each kind of fault."""
        self.parser = parser
        self.name = name
        self.version = parser.version
        self.options: Collection[str] = parser.options
        self._strict = strict
        self._report = report
        self._reported: set[str] = set()
        self._counted_twice: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """What the parser left out; in a block that failed it is counted once."""
        counts = self._raw_counts()
        counts.subtract(self._counted_twice)
        return {name: count for name, count in counts.items() if count}

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line; see ``parsers.contract.Parser``."""
        if not data:
            return []
        before = self._raw_counts()
        try:
            return self._parse(data, now_ms)
        except Exception:  # noqa: BLE001 - other people's code may raise anything; which line it was is found now
            counted = self._raw_counts()
            counted.subtract(before)
            self._counted_twice.update(counted)
        return [self._parse_line(line + b"\n", now_ms) for line in data.removesuffix(b"\n").split(b"\n")]

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        try:
            text = self.parser.redact(line)
            return cap(clean(redact_text(text)), SHOWN_BYTES) if self._strict else text
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(kind_and_place(error))
            return redact_line(line, _NOTHING_KNOWN)

    def recognises(self, line: bytes) -> bool | None:
        """Whether the parser knows a line for its provider's; None where it does not say."""
        try:
            return recognises(self.parser, line)
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(kind_and_place(error))
            return None

    def rule_of(self, line: bytes) -> str:
        """Return which rule of the parser decides about a line, for people; empty where none does."""
        try:
            return clean(rule_of(self.parser, line))
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(kind_and_place(error))
            return ""

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what the parser says about its provider; see ``parsers.contract.Adviser``."""
        if not isinstance(self.parser, Adviser):
            return []
        try:
            return [normal_field(redact_text(text)) for text in self.parser.advice(lines)]
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(kind_and_place(error))
            return []

    def _parse_line(self, line: bytes, now_ms: int) -> Outcome:
        try:
            (outcome,) = self._parse(line, now_ms)
        except _WrongNumberError:
            return self._failed("another number of outcomes than of lines")
        except Exception as error:  # noqa: BLE001 - as above
            return self._failed(kind_and_place(error))
        return outcome

    def _parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        outcomes = self.parser.parse(data, now_ms)
        if not self._strict:
            return outcomes
        outcomes = [self._checked(outcome, now_ms) for outcome in outcomes]
        if len(outcomes) != data.count(b"\n") + (not data.endswith(b"\n")):
            raise _WrongNumberError
        return outcomes

    def _checked(self, outcome: Any, now_ms: int) -> Outcome:
        """Return an outcome if it is one of the contract's, else the rejection of its line."""
        if isinstance(outcome, NoEvent):
            return outcome
        if isinstance(outcome, Rejection):
            if outcome.reason in _REASONS and isinstance(outcome.detail, str):
                return Rejection(Reason(outcome.reason), normal_field(redact_text(outcome.detail)))
            return self._failed("a rejection that is not as the contract wants it")
        if not isinstance(outcome, tuple | list):
            return self._failed("an outcome that is none of the contract's")
        if fault := fault_of_events(outcome, now_ms + DAY_MS):
            return self._failed(f"an event that is not as the contract wants it: {fault}")
        return cast("Outcome", [tuple(row) for row in outcome] if isinstance(outcome, list) else tuple(outcome))

    def _failed(self, fault: str) -> Rejection:
        self._tell(fault)
        return Rejection(Reason.PARSER_FAILED, fault)

    def _raw_counts(self) -> Counter[str]:
        try:
            return Counter({clean(str(name)): int(count) for name, count in self.parser.counts.items()})
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(kind_and_place(error))
            return Counter()

    def _tell(self, fault: str) -> None:
        kind = fault.partition(" at ")[0]
        if kind not in self._reported and len(self._reported) < _MOST_REPORTED:
            self._reported.add(kind)
            self._report(f"The parser {self.name!r} fails: {fault}. What it fails with is rejected as parser_failed.")


class _WrongNumberError(Exception):
    """A parser returned another number of outcomes than there are lines."""

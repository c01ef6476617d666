"""Say what becomes of each line: event and point, or why not (``tokentail explain``, design section 9)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ingestor.model.finding import StoredFinding
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Record
from ingestor.model.records import record
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.points import to_points
from ingestor.stores.influxdb.write.line_protocol import encode_point
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Reason, Rejection, events_of, rule_of
from parsers.envelopes.parser import EnvelopeParser
from parsers.envelopes.records import of_several_lines

NOT_A_TOKEN_ACTION: Final = "not_a_token_action"  # noqa: S105 - no password, whatever the name ends in
"""The reason of an ignored line."""
PART_OF_A_RECORD: Final = "part_of_a_record"
"""That of a line whose record was split, and ends in another line."""


class Explanation(NamedTuple):
    """What became of one line, or of one event of several. ``text`` is redacted; nothing here holds a secret or a control character."""

    ordinal: int
    r"""Number of ``\n`` before the line."""
    result: str
    """``event``, ``ignored`` or ``rejected``."""
    parser: str
    """With the envelopes around the line: ``native in docker``."""
    reason: str | None
    """Of a rejected line its ``Reason``."""
    detail: str
    """Which key or rule, for people."""
    event: Record | None
    point: str | None
    """Line protocol."""
    findings: tuple[StoredFinding, ...]
    """What detectors conclude from this line and those before it."""
    text: str
    rule: str
    """Which rule of the parser decided, for people; empty where none did, and for parsers whose rules have no names."""

    def as_json(self) -> dict[str, Any]:
        """Return the object of ``explain --json``: its keys, no others."""
        return {
            "result": self.result,
            "parser": self.parser,
            "rule": self.rule or None,
            "reason": self.reason,
            "event": self.event._asdict() if self.event else None,
            "point": self.point,
            "findings": [finding.as_json() for finding in self.findings],
        }


Observe = Callable[[str, str, Sequence[EventRow], Callable[[str, str], Mapping[str, str]]], Iterable[StoredFinding]]
"""``pipeline.detection.Detection.observe``."""


class Explainer:
    """Explains lines of one generation in order, as the daemon would have read them from its start."""

    def __init__(
        self,
        parser: EnvelopeParser,
        *,
        source: str,
        host: str,
        clients: int,
        failing_clients: int,
        realms: int,
        failing_realms: int,
        observe: Observe = lambda *_: (),
    ) -> None:
        """Start with nothing admitted; the budgets are those of ``pipeline.admission``. ``observe``: what detectors say."""
        self._parser = parser
        self._series = SeriesTable()
        self._observe = observe
        self._admission = Admission(
            source,
            host,
            self._series,
            clients=clients,
            failing_clients=failing_clients,
            realms=realms,
            failing_realms=failing_realms,
        )

    def explain(
        self, data: bytes, *, h: int, ordinal: int, now_ms: int, is_rest: bool = False
    ) -> Iterator[Explanation]:
        r"""Explain whole records; ``ordinal`` is that of the first line, ``h`` the generation's hash.

        A line of several events has an explanation of each, a blank line none.

        ``is_rest``: they are the rest of a record that was given up.
        """
        lines = data.removesuffix(b"\n").split(b"\n")
        outcomes = [IGNORED] * len(lines) if is_rest else self._parser.parse(data, now_ms)
        records = of_several_lines(lines)
        parts = {part for record in records.values() for part in record.lines[:-1]}
        for index, outcome in enumerate(outcomes):
            if outcome is not BLANK:
                first = records[index].first if index in records else index
                record = b"\n".join(lines[first : index + 1])
                ignored = PART_OF_A_RECORD if is_rest or index in parts else NOT_A_TOKEN_ACTION
                yield from self._explain(record, outcome, h, ordinal + index, now_ms, ignored)

    def too_long(self, head: bytes, *, ordinal: int, limit: int, now_ms: int) -> Explanation:
        """Explain a line beyond ``limit`` bytes, of which only the head was kept."""
        rejection = Rejection(Reason.LINE_TOO_LONG, f"more than {limit} bytes")
        return next(self._explain(head, rejection, 0, ordinal, now_ms))

    def _explain(
        self, line: bytes, outcome: Outcome, h: int, ordinal: int, now_ms: int, ignored: str = NOT_A_TOKEN_ACTION
    ) -> Iterator[Explanation]:
        text = self._parser.redact(line)
        name, rule = self._parser.named(line, now_ms), rule_of(self._parser, line)
        if isinstance(outcome, Rejection):
            yield Explanation(ordinal, "rejected", name, outcome.reason, outcome.detail, None, None, (), text, rule)
        elif outcome is IGNORED:
            yield Explanation(ordinal, "ignored", name, ignored, "", None, None, (), text, rule)
        points = to_points([outcome], h=h, ordinal=ordinal, admission=self._admission).points
        for row, point in zip(events_of(outcome), points, strict=True):
            series = self._series.by_number[point[1]]
            encoded = encode_point(point, series)
            found = self._observe(series.source, series.host, [row], self._admission.tags)
            yield Explanation(
                ordinal, "event", name, None, "", record(series, point), encoded, tuple(found), text, rule
            )

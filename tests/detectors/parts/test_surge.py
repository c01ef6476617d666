"""What all surges do: late events, wrong clocks, successes, forgetting, and what is weighed or said by an event alone."""

from collections.abc import Sequence

import pytest

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.evidence import Figures
from ingestor.detectors.parts.surge import MINUTE_MS, SUCCESSES, Subject, Surge
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow
from tests.detectors.cases.made import event
from tests.support.detecting import last_words, saved, severities

HOUR = 3600
DAY = 24 * HOUR


class Failing(Surge[Options]):
    """Three failures of a client within a quarter of an hour are low, five are medium, and one of the agent ``evil`` is high."""

    name = "failing"
    title = "A client fails"
    actions = frozenset({"token.validation_failed"})
    options = Options

    def subject_of(self, event: Event) -> Subject:
        return Subject(event.tags.realm, event.tags.client_id)

    def severity_of(self, figures: Figures, options: Options) -> Severity | None:  # noqa: ARG002
        if figures.events >= 5:
            return Severity.MEDIUM
        return Severity.LOW if figures.events >= 3 else None

    def least_severity_of(self, event: Event, options: Options) -> Severity:  # noqa: ARG002
        return Severity.HIGH if event.user_agent == "evil" else Severity.LOW

    def window_ms(self, options: Options) -> int:  # noqa: ARG002
        return 15 * MINUTE_MS


class Learning(Failing):
    """It does not count clients that have a token."""

    name = "learning"
    actions = frozenset({"token.validation_failed"}) | SUCCESSES
    learns_from = SUCCESSES

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.known: set[str] = set()

    def learn(self, rows: Sequence[EventRow]) -> None:
        self.known.update(row[2].client_id for row in rows)

    def subject_of(self, event: Event) -> Subject | None:  # type: ignore[override]
        return None if event.tags.client_id in self.known else super().subject_of(event)


def failure(second: float, client: str = "app", *, ip: str = "203.0.113.7", agent: str = "curl/8") -> EventRow:
    return event("token.validation_failed", second, client, error="invalid_client", ip=ip, agent=agent)


def success(second: float, client: str = "app", *, ip: str = "203.0.113.7") -> EventRow:
    return event("token.issued.client_credentials", second, client, ip=ip)


def found(*events: EventRow) -> list[Finding]:
    return last_words(Failing(Options()), *events)


def failures(*seconds: float) -> list[EventRow]:
    return [failure(second) for second in seconds]


def test_it_is_enough_within_the_window_and_not_beyond_it() -> None:
    assert not found(*failures(0, 1))
    assert not found(*failures(0, 1, 901))
    assert severities(found(*failures(0, 1, 900))) == [Severity.LOW]
    assert severities(found(*failures(0, 1, 2, 3, 4))) == [Severity.MEDIUM]


def test_a_late_event_counts_while_it_may() -> None:
    assert found(*failures(900, 901, 1))
    assert not found(*failures(900, 902, 1))
    assert [finding.events for finding in found(*failures(9000, 9001, 9002, 9000 - HOUR))] == [4]
    assert [finding.events for finding in found(*failures(9000, 9001, 9002, 9000 - HOUR - 1))] == [3]
    assert [finding.events for finding in found(*failures(0, 1, 2, 2 + HOUR))] == [4]


def test_a_pause_ends_it() -> None:
    again = 3 + HOUR
    assert [finding.events for finding in found(*failures(0, 1, 2, again, again + 1))] == [3]
    assert [finding.events for finding in found(*failures(0, 1, 2, again, again + 1, again + 2))] == [3, 3]


def test_a_clock_that_was_wrong_does_not_blind_it() -> None:
    assert [finding.events for finding in found(*failures(DAY, 0, 1, 2))] == [3]
    assert [finding.events for finding in found(*failures(DAY, DAY + 1, DAY + 2, 0, 1, 2))] == [3, 3]
    assert [finding.events for finding in found(*failures(0, 1, DAY, 2, 3, 4))] == [3]


def test_a_success_makes_it_worse_unless_it_looks_harmless() -> None:
    medium, low = failures(0, 1, 2, 3, 4), failures(0, 1, 2)
    assert severities(found(*medium, success(5))) == [Severity.HIGH]
    assert severities(found(*medium, success(4 + 3 * HOUR))) == [Severity.HIGH]
    assert severities(found(*medium, success(5 + 3 * HOUR))) == [Severity.MEDIUM]
    assert severities(found(success(0.5), *medium)) == [Severity.MEDIUM]
    assert severities(found(*medium, success(5, ip="198.51.100.1"))) == [Severity.MEDIUM]
    assert severities(found(*medium, success(5, client="other"))) == [Severity.MEDIUM]
    assert severities(found(*low, success(5), failure(6), failure(7))) == [Severity.MEDIUM]


def test_a_success_is_the_last_of_the_finding_and_does_not_make_it_go_on() -> None:
    guessed, got = failures(0, 1, 2, 3, 4), success(HOUR - 1)
    (finding,) = found(*guessed, got)
    assert (finding.events, finding.last_seen_ms) == (5, got[0])
    (grown,) = found(*guessed, success(5), failure(6))
    assert (grown.events, grown.last_seen_ms) == (6, failure(6)[0])
    again = failures(5 + HOUR, 6 + HOUR, 7 + HOUR)
    assert [finding.events for finding in found(*guessed, got, *again)] == [5, 3]


def test_a_success_is_remembered() -> None:
    detector, memory = Failing(Options()), dict[str, bytes]()
    last_words(detector, *failures(0, 1, 2, 3, 4), success(20))
    saved(detector, memory)
    again = Failing(Options())
    again.restore(memory)
    (finding,) = last_words(again, failure(10))
    assert (finding.events, finding.last_seen_ms) == (6, success(20)[0])


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_a_success_counts_where_it_stands_in_the_log(at_once: int) -> None:
    before = [*failures(0, 1, 2, 3), success(20), failure(4)]
    after = [*failures(0, 1, 2, 3), failure(4), success(20)]
    for events, severity in ((before, Severity.MEDIUM), (after, Severity.HIGH)):
        detector, told = Failing(Options()), list[Finding]()
        for start in range(0, len(events), at_once):
            told += last_words(detector, *events[start : start + at_once])
        assert told[-1].severity == severity


def test_an_event_may_be_bad_by_itself() -> None:
    assert not found(failure(0, agent="evil"))
    assert severities(found(*failures(0, 1), failure(2, agent="evil"), failure(3))) == [Severity.HIGH]


def test_what_it_learns_from_is_no_part_of_it() -> None:
    for detector, expected in ((Learning, []), (Failing, [3])):
        told = last_words(detector(Options()), success(0), *failures(1, 2, 3))
        assert [finding.events for finding in told] == expected
    other = [failure(4 + n, "other") for n in range(5)]
    assert severities(last_words(Learning(Options()), success(0), *other, success(20, "other"))) == [Severity.HIGH]


def test_what_is_over_is_forgotten() -> None:
    detector, memory = Failing(Options()), dict[str, bytes]()
    last_words(detector, *(failure(n, f"app-{n}") for n in range(100)))
    saved(detector, memory)
    assert len(memory) == 100
    for hour in range(5, 205):
        last_words(detector, failure(hour * HOUR, f"other-{hour}"))
    saved(detector, memory)
    assert len(memory) == 5


def test_successes_are_awaited_no_longer_than_they_matter() -> None:
    detector = Failing(Options())
    last_words(detector, *failures(0, 1, 2, 3, 4))
    assert detector._awaited
    last_words(detector, *(failure(n * HOUR, "other") for n in range(1, 6)))
    assert not detector._awaited


def test_a_kill_does_not_forget_what_is_awaited() -> None:
    detector, memory = Failing(Options()), dict[str, bytes]()
    last_words(detector, *failures(0, 1, 2, 3, 4))
    saved(detector, memory)
    again = Failing(Options())
    again.restore(memory)
    assert severities(last_words(again, success(5))) == [Severity.HIGH]


def test_the_rows_of_its_actions_alone_may_be_its_own() -> None:
    """A detector may be shown fewer events than the block has of its actions: the others are no part of it."""
    shown: Sequence[EventRow] = failures(0, 1, 2, 3, 4)
    block = [*shown, *failures(5, 6), success(7)]
    (finding,) = Failing(Options()).observe(ObservedEvents("audit.log", shown, block))
    assert (finding.events, finding.severity) == (5, Severity.HIGH)

"""Every store answers all of design section 7 as the plain-Python oracle does, to the last unit."""

import functools
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from ingestor.config.settings import StoreSettings
from ingestor.model.questions import Answers, Filters, PeakCell, Period
from parsers.text import normal_tag
from tests.support.generated import FILTERS, HOSTILE, SECOND, Sample, hostile_samples, random_samples, survivors
from tests.support.oracle import Oracle
from tests.support.questions import ALWAYS, BEGIN, BEYOND, HOUR, PERIODS, QUESTIONS
from tests.support.store_under_test import StoreUnderTest

New = Callable[[], StoreSettings]
EVENTS = 2_500


@pytest.fixture(scope="module")
def made() -> list[Sample]:
    return random_samples(seed=29, count=EVENTS)


@pytest.fixture(scope="module")
def oracle(made: list[Sample]) -> Oracle:
    return Oracle(sample.event() for sample in made)


@pytest.fixture(scope="module")
def answers(new_store: New, made: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    subject = StoreUnderTest(tmp_path_factory.mktemp("answers") / "state", new_store())
    subject.write(made)
    subject.read_again(made[300:900])  # which changes nothing
    with subject.answers() as found:
        yield found
    subject.close()


@pytest.fixture(scope="module")
def expected(oracle: Oracle) -> Callable[[str, Period, Filters], Any]:
    """What the oracle says, which is the same for every store."""
    return functools.cache(lambda question, period, filters: QUESTIONS[question](oracle, period, filters))


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_the_oracle(
    question: str, answers: Answers, expected: Callable[[str, Period, Filters], Any]
) -> None:
    ask = QUESTIONS[question]
    for period, filters in itertools.product(PERIODS, FILTERS):
        assert ask(answers, period, filters) == expected(question, period, filters), (period, filters)


def test_the_oracle_has_something_to_say(oracle: Oracle) -> None:
    """Comparing nothing with nothing would pass: every plain filter selects some events, and not all."""
    for filters in FILTERS[:3] + FILTERS[5:12]:
        found = len(list(oracle.events(ALWAYS, filters)))
        assert (found == EVENTS) == (filters == Filters())
        assert found > 20
    stats = oracle.stats(ALWAYS, Filters())
    assert all(getattr(stats, name) for name in stats.__slots__)


def test_users_of_whole_days_of_utc_are_counted_once(answers: Answers, oracle: Oracle) -> None:
    """No edges: whoever keeps users by day has each in a row for each day, source and host."""
    days = Period(BEGIN + 26 * HOUR, BEGIN + 74 * HOUR)
    assert days.since % (24 * HOUR) == days.until % (24 * HOUR) == 0
    assert answers.stats(days, Filters()).unique_users == oracle.stats(days, Filters()).unique_users == 5


def test_a_period_beyond_the_calendar(answers: Answers, oracle: Oracle) -> None:
    for question, ask in QUESTIONS.items():
        assert ask(answers, BEYOND, Filters()) == ask(oracle, BEYOND, Filters()), question


def test_an_abandoned_export_leaves_the_store_usable(answers: Answers) -> None:
    exported = answers.events(ALWAYS, Filters())
    next(exported)
    exported.close()  # type: ignore[attr-defined]  # the protocol promises an iterator; these are generators
    assert len(list(answers.activity(ALWAYS, Filters(), 1))) == 1
    assert sum(answers.stats(ALWAYS, Filters()).by_action.values()) == EVENTS


def test_an_empty_store_answers(subject: StoreUnderTest) -> None:
    subject.delivery.flush()
    with subject.answers() as answers:
        for question, ask in QUESTIONS.items():
            assert ask(answers, ALWAYS, Filters()) == ask(Oracle([]), ALWAYS, Filters()), question


def test_equal_times_are_ordered_by_tags(subject: StoreUnderTest) -> None:
    made = survivors(
        Sample(BEGIN + number % 3, sample.series, {**sample.fields, "fraction": None}, "2026-10-23T22:00:00.000Z")
        for number, sample in enumerate(random_samples(5, 150))
    )
    oracle = Oracle(sample.event() for sample in made)
    subject.write(made)
    with subject.answers() as answers:
        assert list(answers.events(ALWAYS, Filters())) == list(oracle.events(ALWAYS, Filters()))
        for limit in range(1, len(made) + 2, 7):
            assert list(answers.activity(ALWAYS, Filters(), limit)) == oracle.activity(ALWAYS, Filters(), limit)


@pytest.fixture(scope="module")
def hostile(new_store: New, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """A store with one event of each hostile user, one of each hostile client, and one that is `_other`."""
    subject = StoreUnderTest(tmp_path_factory.mktemp("hostile") / "state", new_store())
    subject.write(hostile_samples())
    with subject.answers() as found:
        yield found
    subject.close()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_finds_its_event_alone(value: str, hostile: Answers) -> None:
    for filters in (
        Filters(user=value),
        Filters(ip=value),
        Filters(client=normal_tag(value)),
        Filters(client=f"{value}?"),
    ):
        found = list(hostile.events(ALWAYS, filters))
        assert len(found) == 1
        assert hostile.stats(ALWAYS, filters).by_action == {found[0].action: 1}
        client = found[0].client_id
        assert client is not None
        assert value in (found[0].user_id, client, client[:-1]) or "\\" in value
    assert list(hostile.events(ALWAYS, Filters(action=value))) == []


def test_events_without_a_client_are_counted_and_told_apart(subject: StoreUnderTest) -> None:
    """Nobody's event is no event of ``_other``, and no client."""
    template = random_samples(seed=2, count=1)[0]
    failed = template.series._replace(action="token.validation_failed", outcome="failure", endpoint="token", realm="")
    fields = {**template.fields, "fraction": None, "client": None}
    made = [
        Sample(BEGIN + number, series, {**fields, "client": client}, "2026-10-23T22:00:00.000Z")
        for number, (series, client) in enumerate(
            [
                *[(failed._replace(client_id=""), None)] * 3,
                (failed._replace(client_id="", realm="acme"), None),
                (failed._replace(client_id="_other"), "late"),
                (failed._replace(client_id="web"), None),
            ]
        )
    ]
    subject.write(made)
    oracle = Oracle(sample.event() for sample in made)
    with subject.answers() as answers:
        for question, ask in QUESTIONS.items():
            for filters in (Filters(), Filters(client=""), Filters(client="_other")):
                assert ask(answers, ALWAYS, filters) == ask(oracle, ALWAYS, filters), (question, filters)
        stats = answers.stats(ALWAYS, Filters())
        assert (stats.total_failures, stats.without_client, stats.unique_clients) == (6, 4, 2)
        assert stats.by_client == {"late": 1, "web": 1}
        assert [row[:3] for row in answers.top_clients(ALWAYS, Filters(), 9)] == [
            *((None, None, 3), (None, "acme", 1), ("late", None, 1), ("web", None, 1))
        ]
        assert [record.client_id for record in answers.events(ALWAYS, Filters(client=""))] == [None] * 4
        assert len(list(answers.events(ALWAYS, Filters(client="", realm="acme")))) == 1
        assert {row.client_id for row in answers.analytics(ALWAYS, Filters(), "UTC")} == {None, "late", "web"}
        whole = Period(BEGIN - HOUR, BEGIN + HOUR)  # from the counters of hours
        assert answers.stats(whole, Filters(client="")).by_action == {"token.validation_failed": 4}


def at(stamp: str) -> Sample:
    """Make a refresh at this time."""
    template = random_samples(seed=1, count=1)[0]
    tags = template.series._replace(action="token.refreshed", outcome="success", client_id="web")
    return Sample(int(datetime.fromisoformat(stamp).timestamp()) * SECOND, tags, template.fields, stamp)


def test_a_clock_set_back_within_an_hour_of_utc(subject: StoreUnderTest) -> None:
    """Newfoundland's clocks went from 00:01 to 23:01 of the day before: a date that lasted one minute, then came again."""
    stamps = ["02:00:00", "02:29:59", "02:30:00", "02:30:59", "02:31:00", "02:59:59", "03:30:00"]
    subject.write(at(f"2010-11-07T{stamp}+00:00") for stamp in stamps)
    with subject.answers() as answers:
        rows = answers.analytics(ALWAYS, Filters(), "America/St_Johns")
        assert [(row.date, row.count) for row in rows] == [("2010-11-06", 4), ("2010-11-07", 3)]
        cells = list(answers.peak(ALWAYS, Filters(), "America/St_Johns"))
        assert cells == [PeakCell(5, 23, 4), PeakCell(6, 0, 3)]


def test_half_an_hour_of_summer_time(subject: StoreUnderTest) -> None:
    """Lord Howe sets its clocks by 30 minutes: 01:30 to 02:00 happens twice, in two different hours of UTC."""
    stamps = ["14:29:59", "14:30:00", "14:59:59", "15:00:00", "15:29:59", "15:30:00"]
    subject.write(at(f"2026-04-04T{stamp}+00:00") for stamp in stamps)
    with subject.answers() as answers:
        cells = list(answers.peak(ALWAYS, Filters(), "Australia/Lord_Howe"))
        assert cells == [PeakCell(6, 1, 5), PeakCell(6, 2, 1)]

"""Percentiles, what recurs, and what is proposed."""

from collections.abc import Iterable, Sequence

import pytest

from ingestor.detectors.registry import detectors
from ingestor.detectors.secret_guessing import SecretGuessingOptions
from ingestor.jobs.baseline.distribution import Distribution, days_to_recur, recurring
from ingestor.jobs.baseline.measuring import Found
from ingestor.jobs.baseline.meter import DAY_MS, Client, ReachMeter, Subject
from ingestor.jobs.baseline.proposal import Case, Proposal, Verdict, proposals
from ingestor.model.finding import Severity, slot_of

APP = ("acme", "app")
DEFAULT = SecretGuessingOptions()


def test_percentiles_are_numbers_that_were_there() -> None:
    numbers = Distribution()
    for number in range(1, 101):
        numbers.add(number, 0)
    assert [numbers.percentile(percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert Distribution().percentile(99) == 0


def test_large_numbers_are_told_to_three_digits_and_the_largest_as_it_is() -> None:
    numbers = Distribution()
    for number in range(100_001, 200_001, 7):
        numbers.add(number, 0)
    assert numbers.percentile(50) == 150_000
    assert numbers.percentile(100) == numbers.largest == 199_996
    assert len(numbers._counts) <= 101


def test_what_recurs_was_reached_on_three_days_and_on_a_tenth_of_all() -> None:
    by_day = {1: 50, 2: 40, 3: 30, 4: 20}
    assert recurring(by_day, days_to_recur(5)) == 30
    assert recurring(by_day, days_to_recur(31)) == 20
    assert recurring(by_day, days_to_recur(90)) == 0


def made(
    values: Iterable[tuple[int, int]], client: Client = APP, options: SecretGuessingOptions = DEFAULT, most: int = 128
) -> ReachMeter:
    """Return a meter that was told of windows: the day of each, and how many events."""
    meter = ReachMeter(("many_failures",))
    for day, value in values:
        meter.count((*client, ""), day * DAY_MS, day * DAY_MS + 1000, options, value)
    meter.most = [most]
    return meter


def finding(day: int, severity: Severity, subject: Subject = (*APP, "")) -> Found:
    return Found(
        f"secret_guessing-{day}",
        "secret_guessing",
        severity,
        subject[:2],
        (),
        slot_of(*subject),
        day * DAY_MS,
        day * DAY_MS + 500,
    )


def proposed(
    meter: ReachMeter,
    *found: Found,
    harmless: Sequence[str] = (),
    options: SecretGuessingOptions = DEFAULT,
) -> list[Proposal]:
    return proposals(Case(options, DEFAULT, meter, found, harmless, 3))


def test_a_client_that_stands_out_gets_a_number_of_its_own() -> None:
    of_all, own = proposed(made([(day, 40) for day in range(5)]), *(finding(day, Severity.MEDIUM) for day in range(5)))
    assert (of_all.client, of_all.verdict, of_all.value) == (None, Verdict.FITS, 30)
    assert (own.client, own.verdict, own.recurs, own.value) == (APP, Verdict.CHANGE, 40, 60)
    assert own.silences == tuple(f"secret_guessing-{day}" for day in range(5))


def test_what_came_on_two_days_may_have_been_an_attack() -> None:
    meter, found = made([(0, 40), (1, 41)]), [finding(0, Severity.MEDIUM), finding(1, Severity.MEDIUM)]
    assert [each.verdict for each in proposed(meter, *found)] == [Verdict.FITS]
    *_, own = proposed(meter, *found, harmless=[found[1].id])
    assert (own.recurs, own.value, own.silences) == (41, 62, (found[0].id, found[1].id))


def test_a_grave_finding_is_no_measure_and_is_never_silenced() -> None:
    days = [(day, 100 if day == 9 else 40) for day in range(10)]
    meter = made([*days, (20, 50)])
    *_, own = proposed(meter, finding(9, Severity.HIGH), finding(3, Severity.MEDIUM))
    assert (own.verdict, own.recurs, own.value) == (Verdict.CHANGE, 40, 60)

    grave = finding(20, Severity.CRITICAL)
    *_, own = proposed(meter, grave)
    assert (own.verdict, own.value, own.silences) == (Verdict.WOULD_SILENCE, 60, (grave.id,))
    *_, own = proposed(meter, grave, harmless=[grave.id])
    assert own.verdict is Verdict.CHANGE
    assert own.silences == (grave.id,)


def test_no_number_is_proposed_that_cannot_be_reached() -> None:
    *_, own = proposed(made([(day, 128) for day in range(5)]))
    assert (own.verdict, own.value) == (Verdict.NO_NUMBER, 128)
    *_, own = proposed(made([(day, 100) for day in range(5)]))
    assert (own.verdict, own.value) == (Verdict.CHANGE, 128)


def test_a_threshold_far_above_goes_down_to_the_default_and_no_further() -> None:
    options = SecretGuessingOptions(many_failures=100)
    quiet = made([(day, 2) for day in range(5)], options=options)
    assert [each.value for each in proposed(quiet, options=options)] == [30]
    busy = made([(day, 40) for day in range(5)], options=options)
    assert [each.value for each in proposed(busy, options=options)] == [60]


def test_when_many_clients_stand_out_the_number_of_all_goes_up() -> None:
    meter = ReachMeter(("many_failures",))
    for number in range(6):
        for day in range(5):
            meter.count(("acme", f"app-{number}", ""), day * DAY_MS, day * DAY_MS, DEFAULT, 40 + 60 * (number == 5))
    of_all, own = proposed(meter)
    assert (of_all.client, of_all.value) == (None, 60)
    assert (own.client, own.value) == (("acme", "app-5"), 150)


def test_a_meter_finds_the_largest_number_by_which_something_is_found() -> None:
    meter = ReachMeter(("failures", "many_failures"))
    for events in range(1, 38):

        def severity_of(options: SecretGuessingOptions, events: int = events) -> Severity | None:
            if events >= options.failures and events >= 20:
                return Severity.HIGH
            return Severity.MEDIUM if events >= options.many_failures else None

        meter.judge((*APP, ""), events * 1000, 5000, DEFAULT, severity_of)
    meter.judge((*APP, ""), 60_000, 5000, DEFAULT, lambda _: None)
    meter.end()
    (stretch,) = meter.beyond
    assert stretch == ((*APP, ""), 1000, 37_000, (37, 37))
    assert meter.by_client("failures")[APP].largest == 37


@pytest.mark.parametrize("name", detectors())
def test_the_thresholds_of_a_detector_are_options_of_it(name: str) -> None:
    kind = detectors()[name]
    thresholds = getattr(kind.new, "thresholds", ())
    assert all(isinstance(getattr(kind.options(), threshold), int) for threshold in thresholds)

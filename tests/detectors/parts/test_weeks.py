"""Counts by hour: what is usual, and that nothing is lost on the way through a checkpoint."""

import orjson

from ingestor.detectors.parts.weeks import HOURS, MOST_WEEKS, Norm, Weeks


def worked(hours: dict[int, int]) -> Weeks:
    """Return what remains of so much in these hours, in their order."""
    weeks, newest = Weeks(min(hours), min(hours)), 0
    for hour, count in hours.items():
        if hour > weeks.newest:
            weeks.begin(hour, newest)
        newest = count
    weeks.begin(weeks.newest + 1, newest)
    return weeks


def test_the_norm_is_the_median_of_the_weeks_and_of_their_deviations() -> None:
    weeks = worked({10 + week * HOURS: count for week, count in enumerate((1, 10, 12, 90, 11))})
    assert weeks.norm(10 + 5 * HOURS, 3) == Norm(11.5, 1.0)
    assert weeks.norm(9 + 5 * HOURS, 3) == Norm(11.5, 1.0)
    assert weeks.norm(12 + 5 * HOURS, 3) == Norm(0, 0)


def test_what_was_before_the_first_hour_is_not_known() -> None:
    weeks = worked({10 + week * HOURS: 5 for week in range(4)})
    assert weeks.norm(10 + 4 * HOURS, 4) is None
    assert weeks.norm(11 + 4 * HOURS, 4) == Norm(5, 0)


def test_eight_weeks_are_remembered() -> None:
    weeks = worked({week * HOURS: week for week in range(20)})
    assert sorted(weeks.counts) == list(range(19 - MOST_WEEKS, 20))
    assert weeks.norm(20 * HOURS, 1) == Norm(15.5, 2)
    assert weeks.is_forgotten(11 * HOURS - 1)
    assert not weeks.is_forgotten(11 * HOURS)


def test_it_comes_back_as_it_was_also_of_an_hour_with_very_many() -> None:
    weeks = worked({0: 65_535, 1: 65_536, HOURS: 3_000_000, HOURS + 1: 9})
    again = Weeks.of_json(orjson.loads(orjson.dumps(weeks.to_json())))
    assert again == weeks
    assert [again.at(hour) for hour in (0, 1, HOURS, HOURS + 1, HOURS + 2)] == [65_535, 65_536, 3_000_000, 9, 0]
    again.add(0, 1)
    assert again.at(0) == 65_536

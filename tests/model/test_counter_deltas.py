"""What a batch adds is the same by hours and by quarters of an hour, with and without clients, whichever way it is counted."""

from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Point, Series

WEB = Series("token.refreshed", "web", "", "", "", "host-1", "success", "", "log")
SERIES = {1: WEB, 2: WEB._replace(client_id="api"), 3: WEB._replace(realm="master")}
TOGETHER = WEB.of_all_clients()
IN_MASTER = SERIES[3].of_all_clients()


def point(time: int, series: int, user: str | None = None, lifetime: int | None = None) -> Point:
    return (time, series, user, None, None, None, None, lifetime, None, None, None)


def test_hours_add_up_quarters_and_totals_add_up_clients() -> None:
    tally = CounterDeltas(SERIES)
    times = (
        DAY_NS - 1,
        DAY_NS,
        DAY_NS + QUARTER_HOUR - 1,
        DAY_NS + QUARTER_HOUR,
        DAY_NS + HOUR_NS - 1,
        DAY_NS + HOUR_NS,
    )
    tally.add([point(time, 1, lifetime=10) for time in times])
    tally.add([point(DAY_NS, 2), point(DAY_NS + 1, 3, lifetime=5)])
    assert tally.hours() == [
        (DAY_NS - HOUR_NS, 1, 1, 10, 1),
        (DAY_NS, 1, 4, 40, 4),
        (DAY_NS, 2, 1, 0, 0),
        (DAY_NS, 3, 1, 5, 1),
        (DAY_NS + HOUR_NS, 1, 1, 10, 1),
    ]
    assert tally.totals() == [
        (DAY_NS - QUARTER_HOUR, TOGETHER, 1, 10, 1),
        (DAY_NS, TOGETHER, 3, 20, 2),
        (DAY_NS, IN_MASTER, 1, 5, 1),
        (DAY_NS + QUARTER_HOUR, TOGETHER, 1, 10, 1),
        (DAY_NS + 3 * QUARTER_HOUR, TOGETHER, 1, 10, 1),
        (DAY_NS + HOUR_NS, TOGETHER, 1, 10, 1),
    ]


def test_what_goes_from_one_client_to_another_is_no_matter_of_all_clients() -> None:
    tally = CounterDeltas(SERIES)
    tally.add([point(0, 1, lifetime=7)], sign=-1)
    tally.add([point(0, 2, lifetime=7)])
    assert tally.hours() == [(0, 1, -1, -7, -1), (0, 2, 1, 7, 1)]
    assert tally.totals() == []


def test_what_goes_from_one_quarter_to_another_is_no_matter_of_the_hour() -> None:
    tally = CounterDeltas(SERIES)
    tally.add([point(0, 1)], sign=-1)
    tally.add([point(QUARTER_HOUR, 1)])
    assert tally.hours() == []
    assert tally.totals() == [(0, TOGETHER, -1, 0, 0), (QUARTER_HOUR, TOGETHER, 1, 0, 0)]


def test_users_are_counted_on_the_day_of_the_event_in_any_order() -> None:
    tally = CounterDeltas(SERIES)
    for time in (DAY_NS, DAY_NS - 1, DAY_NS + HOUR_NS, 2 * DAY_NS, DAY_NS + 2, 0):
        tally.add([point(time, 1, "u-1")])
    assert [(day, events) for day, _, _, _, events, *_ in tally.user_days()] == [(0, 2), (DAY_NS, 3), (2 * DAY_NS, 1)]

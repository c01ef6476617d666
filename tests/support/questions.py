"""Every question of design section 7, as what is compared with the oracle: periods, filters and zones that meet its edges."""

from collections.abc import Callable
from typing import Any

from ingestor.model.questions import Answers, Filters, Period
from tests.support.generated import DAYS, FILTERS, SECOND, START

HOUR = 3600 * SECOND
BEGIN = START * SECOND
END = BEGIN + DAYS * 24 * HOUR
ALWAYS = Period(0, 1 << 62)
ODD = Period(BEGIN + 31 * HOUR + 17 * SECOND + 1, BEGIN + 80 * HOUR - 1)
"""Edges on both sides."""
BEYOND = Period(-(1 << 70), 1 << 70)
"""More than any calendar has."""
PERIODS = [
    ALWAYS,
    Period(BEGIN + 24 * HOUR, BEGIN + 48 * HOUR),  # whole hours, not a whole day of UTC
    Period(BEGIN + 26 * HOUR, BEGIN + 74 * HOUR),  # two whole days of UTC
    ODD,
    Period(BEGIN + 31 * HOUR + 600 * SECOND, BEGIN + 31 * HOUR + 1200 * SECOND),  # within one hour
    Period(BEGIN, BEGIN),
    Period(END, BEGIN),  # nothing, backwards
]
# Berlin's summer time ends within the events.
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]


def zones(period: Period, filters: Filters) -> list[str]:
    """Every zone for some questions, and every period and every filter with some zones: all of all would take long."""
    if period == BEYOND:
        return ["Asia/Kathmandu"]
    if period == ODD and filters in FILTERS[:2]:
        return ZONES
    if period == ALWAYS:  # a century has 200 changes of the clocks
        return [("UTC", "Asia/Kathmandu")[FILTERS.index(filters) % 2]]
    return [ZONES[(PERIODS.index(period) + FILTERS.index(filters)) % len(ZONES)]]


QUESTIONS: dict[str, Callable[[Answers, Period, Filters], Any]] = {
    "stats": lambda answers, period, filters: [
        (stats, *(list(by.items()) for by in (stats.by_action, stats.by_grant_type, stats.by_client, stats.by_error)))
        for stats in [answers.stats(period, filters)]
    ],
    "events": lambda answers, period, filters: list(answers.events(period, filters)),
    # Equal times come in any order.
    "rows": lambda answers, period, _: sorted(answers.rows(period), key=repr),
    "activity": lambda answers, period, filters: [list(answers.activity(period, filters, n)) for n in (0, 1, 7, 4_000)],
    "top_clients": lambda answers, period, filters: [list(answers.top_clients(period, filters, n)) for n in (1, 3, 99)],
    "top_users": lambda answers, period, filters: [list(answers.top_users(period, filters, n)) for n in (1, 3, 99)],
    "peak": lambda answers, period, filters: [
        list(answers.peak(period, filters, zone)) for zone in zones(period, filters)
    ],
    "analytics": lambda answers, period, filters: [
        list(answers.analytics(period, filters, zone)) for zone in zones(period, filters)
    ],
}

"""What the outcomes of a log's newest lines tell of the log itself. Pure."""

from collections.abc import Iterable
from typing import Final

from parsers.contract import Event, Outcome, events_of

FEWEST: Final = 20
"""Failures in a row that chance does not bring about in a log that has successes, too."""


def failures_alone(outcomes: Iterable[Outcome]) -> int:
    """Return how many failures there are, if there are many and no success; else 0.

    A log that has failures only is configured so, by default at some providers: totals are zero and rates 100 % then.
    """
    failures = 0
    for outcome in outcomes:
        for row in events_of(outcome):
            result = Event(*row).tags.outcome
            if result == "success":
                return 0
            failures += result == "failure"
    return failures if failures >= FEWEST else 0

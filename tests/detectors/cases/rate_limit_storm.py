"""Clients that ask too fast, one of which nobody names; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 20_000, 3)):
        client = ("loop", "", "modest")[number % 3]
        if second % 7000 < 2000 and (client != "modest" or number % 60 == 2):
            shown.append(refusal(second - (800 if number % 71 == 0 else 0), client))
    return shown


def refusal(second: float, client: str = "app", ip: str | None = "203.0.113.7") -> EventRow:
    return event("token.rate_limited", second, client, error="slow_down", ip=ip, event_id=f"e{second}{client}")

"""A shop with many televisions, somebody who waits for many codes, a device at home, one that polls too fast; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for tick in range(0, 12_000, 5):
        if tick % 5400 < 1800:
            shown += [pending(tick + n / 20, ip="203.0.113.66") for n in range(14)]
        shown.append(pending(tick, ip="198.51.100.1"))
        shown += [pending(tick + n / 9, ip="198.51.100.2", error="slow_down") for n in range(3)]
        if tick % 600 == 0:
            shown.append(pending(tick - 1000, ip="203.0.113.66"))
    return shown


def pending(
    second: float, client: str = "tv", ip: str | None = "203.0.113.7", error: str = "authorization_pending"
) -> EventRow:
    return event("token.authorization_pending", second, client, error=error, ip=ip, event_id=f"e{second}")

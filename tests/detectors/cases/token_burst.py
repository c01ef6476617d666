"""A client that gets a token for each request now and then, one that always does, and modest ones; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for minute in range(200):
        for client, tokens in (("loop", 310), ("burst", 330 if minute % 90 < 3 else 5), ("modest", 7)):
            if client != "loop" or minute < 4:
                shown += [token(minute * 60 + n * 0.18, client) for n in range(tokens)]
        shown.append(token(minute * 60 - (30 if minute % 2 else 9000), "burst"))
    return shown


def token(second: float, client: str = "app", ip: str | None = "203.0.113.7") -> EventRow:
    return event("token.issued.client_credentials", second, client, ip=ip, event_id=f"e{second:.2f}{client}")

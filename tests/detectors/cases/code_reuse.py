"""Six users who log in; pages that are loaded twice, codes that were stolen, users whom nobody names; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 60_000, 50)):
        user, home = f"u-{number % 6}", f"198.51.{number % 6}.7"
        shown.append(event("token.issued.authorization_code", second, "web", user=user, ip=home, agent="Firefox/133"))
        if number % 31 == 4:
            shown.append(reuse(second + 1, user, home, "Firefox/133"))
        if number % 83 == 9:
            shown.append(reuse(second + 30, user, "203.0.113.66", "curl/8"))
        if number % 4 == 1:
            late = 4000 if number % 3 == 1 else 0
            shown.append(reuse(second - late, None, None, None))
    return shown


def reuse(second: float, user: str | None, ip: str | None, agent: str | None, client: str = "web") -> EventRow:
    return event(
        "token.reuse_detected",
        second,
        client,
        error="invalid_code",
        user=user,
        ip=ip,
        agent=agent,
        event_id=f"e{second}",
    )

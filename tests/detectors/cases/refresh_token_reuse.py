"""Eight users who refresh at home and on the way; answers that were lost, thieves, users whom nobody names; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 60_000, 45)):
        user, home = f"u-{number % 8}", f"198.51.{number % 8}.7"
        agent = f"App/{number % 8 % 3}"
        if number % 3:
            shown.append(event("token.refreshed", second, "app", user=user, ip=home, agent=agent))
        if number % 41 == 7:  # an answer was lost
            shown.append(reuse(second + 9, user, home if number % 2 else "100.64.0.1", agent))
        if number % 97 == 5:  # a thief
            shown.append(reuse(second + 20, user, "203.0.113.66", "curl/8"))
        if number % 29 == 3:
            late = 5000 if number % 2 else 0
            shown.append(reuse(second - late, None, "203.0.113.5", None))
    return shown


def reuse(second: float, user: str | None, ip: str | None, agent: str | None, client: str = "app") -> EventRow:
    return event(
        "token.reuse_detected",
        second,
        client,
        error="invalid_grant",
        user=user,
        ip=ip,
        agent=agent,
        event_id=f"e{second}",
        grant="refresh_token",
    )

"""An office where people mistype and then get in, sprays from one address and from many, and one that succeeds; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event
from tests.detectors.cases.user_attacked import wrong


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 60_000, 20)):
        user, office = f"u-{number % 300}", "198.51.100.7"
        if number % 4 == 0:
            shown += [wrong(second, user, office), login(second + 9, user, office)]
        if second % 14_000 < 2000:
            late = 600 if number % 53 == 0 else 0
            ip = "203.0.113.66" if second % 28_000 < 14_000 else f"203.0.113.{number % 30}"
            shown.append(wrong(second - late, f"u-{number % 300 + 7}", ip))
        if number % 350 == 90:
            shown.append(login(second, f"u-{number % 300 + 6}", "203.0.113.66"))
    return shown


def login(second: float, user: str, ip: str | None = "203.0.113.7", action: str = "token.issued.password") -> EventRow:
    return event(action, second, "web", user=user, ip=ip)

"""Three days of users at home and of a server that asks for them, and then somebody with their tokens; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event

DAY = 86_400


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 3 * DAY, 90)):
        user, home = f"u-{number % 700}", f"198.51.{number % 700 % 90}.7"
        shown.append(event("token.refreshed", second, "app", user=user, ip=home))
        shown.append(access(second + 1, user, home))
        shown.append(access(second + 2, user, "10.0.0.9"))
        if second > DAY and second % 50_000 < 9000:
            late = 2000 if number % 17 == 0 else 0
            shown += [access(second - late + n, f"u-{(number * 31 + n) % 700}", f"203.0.113.{n}") for n in range(6)]
    return shown


def access(second: float, user: str | None, ip: str | None, client: str = "app") -> EventRow:
    return event(
        "token.userinfo_accessed", second, client, endpoint="userinfo", user=user, ip=ip, event_id=f"e{second}{user}"
    )

"""Users whose passwords are tried from many networks, from few, or by themselves; logins; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 60_000, 30)):
        user = ("attacked", "phone", "clumsy")[number % 3]
        ip = {"attacked": f"203.0.{number % 40}.7", "phone": f"198.51.100.{number % 12}", "clumsy": "192.0.2.7"}[user]
        late = 3000 if number % 53 == 0 else 0
        if second % 14_000 < 5000:
            shown.append(wrong(second - late, user, ip))
        if number % 100 == 99:
            shown.append(event("token.issued.password", second, "web", user=user, ip=ip))
    return shown


def wrong(
    second: float,
    user: str | None = "u-1",
    ip: str | None = "203.0.113.7",
    grant: str = "password",
    error: str = "invalid_grant",
    agent: str | None = "curl/8",
) -> EventRow:
    return event(
        "token.validation_failed",
        second,
        "web",
        error=error,
        user=user,
        ip=ip,
        grant=grant,
        agent=agent,
        event_id=f"e{second}",
    )

"""Codes that are tried from one address and from many, pages that redeem theirs twice, logins; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 40_000, 20)):
        ip, client = f"198.51.100.{number % 6}", f"web-{number % 3}"
        if number % 7 == 0:
            shown.append(redeemed(second, client, ip))
            shown.append(failure(second + 0.5, client, ip))
        if second % 9000 < 1500:
            late = 1000 if number % 37 == 0 else 0
            ip = "203.0.113.66" if second % 18_000 < 9000 else f"203.0.113.{number % 40}"
            shown.append(
                failure(second - late, client, ip, "token.pkce_failed" if number % 5 else "token.validation_failed")
            )
        if number % 400 == 60:
            shown.append(redeemed(second, client, "203.0.113.66"))
    return shown


def redeemed(second: float, client: str = "web", ip: str | None = "203.0.113.7") -> EventRow:
    return event("token.issued.authorization_code", second, client, ip=ip, user="u-1")


def failure(
    second: float, client: str = "web", ip: str | None = "203.0.113.7", action: str = "token.validation_failed"
) -> EventRow:
    error = "invalid_code" if action == "token.validation_failed" else "invalid_grant"
    return event(action, second, client, error=error, ip=ip, event_id=f"e{second}", grant="authorization_code")

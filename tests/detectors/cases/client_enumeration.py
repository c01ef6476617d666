"""Names of clients that are tried from one address and from many, clients that fail at home, tokens that are issued; pauses and late events."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for number, second in enumerate(range(0, 40_000, 20)):
        real = f"svc-{number % 20}"
        if number % 3 == 0:
            shown.append(event("token.issued.client_credentials", second, real, ip=f"10.0.{number % 20}.{number % 7}"))
        if second % 9000 < 2500:
            late = 2500 if number % 37 == 0 else 0
            ip = "203.0.113.66" if second % 18_000 < 9000 else f"203.0.{number % 9}.7"
            shown.append(failure(second - late, f"guess-{number}", ip))
        if number % 5 == 1:
            shown.append(failure(second, real, f"10.0.{number % 20}.99"))
        if number % 500 == 30:
            shown.append(event("token.issued.client_credentials", second, f"guess-{number - 1}", ip="203.0.113.66"))
    return shown


def failure(second: float, client: str, ip: str | None = "203.0.113.7", error: str = "invalid_client") -> EventRow:
    return event("token.validation_failed", second, client, error=error, ip=ip, event_id=f"e{second}{client}")

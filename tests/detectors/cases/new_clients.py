"""Two weeks of twenty clients, with two floods of new ones, of which one has refused addresses; late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for step in range(14 * 24 * 12):
        second, day = step * 300, step // 288
        late = 2000 if step % 50 == 0 else 0
        shown.append(event("token.refreshed", second - late, f"app-{step % 20}"))
        if day in {9, 12} and step % 288 < 60:
            client = f"new-{step}" if step % 3 else f"https://{step}.example/client"
            shown.append(
                event("token.issued.authorization_code", second + 1 - late, f"{client}-{day}", event_id=f"e{step}")
            )
            shown.append(
                event("token.issued.client_credentials", second + 2 - late, f"more-{step}", ip=f"203.0.{step % 9}.1")
            )
        if day == 12 and step % 288 < 60:
            shown.append(event("token.validation_failed", second + 3, f"http://10.0.0.{step}/", error="invalid_client"))
    return shown

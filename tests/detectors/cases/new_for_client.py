"""Three clients for a month: one is moved, one is updated, and the secret of one leaks; a public one, and late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event

DAY = 86_400


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for hour in range(24 * 28):
        second = 3600 * hour
        late = 7200 if hour % 50 == 0 else 0
        for n, client in enumerate(("moved", "updated", "leaked")):
            ip = f"198.51.100.{hour % 7}" if hour < 400 or client != "moved" else "192.0.2.1"
            agent = "python-requests/2.1" if hour < 500 or client != "updated" else "go-http/1.1"
            grant = "client_credentials" if hour % 3 else "token_exchange"
            shown.append(
                event(
                    f"token.issued.{grant}", second + n - late, client, ip=ip, agent=agent, event_id=f"{client}-{hour}"
                )
            )
        shown.append(
            event("token.refreshed", second + 5, "phones", ip=f"203.0.{hour % 90}.7", agent=f"phone/{hour % 5}")
        )
        if hour in {300, 301, 550}:
            shown.append(
                event(
                    "token.issued.client_credentials", second + 9, "leaked", ip=f"203.0.113.{hour % 9}", agent="curl/8"
                )
            )
            shown.append(
                event("token.issued.password", second + 10, "leaked", ip=f"203.0.{hour % 9}.9", agent="curl/8")
            )
    return shown

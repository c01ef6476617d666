"""Three weeks of five steady clients, of which two fall silent: one returns, and comes late now and then."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event

HOURS = 24 * 19


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for hour in range(HOURS):
        for n in range(12):
            client = f"app-{n % 5}"
            if (client == "app-1" and 350 < hour < 356) or (client == "app-2" and hour > 400):
                continue
            late = 9000 if client == "app-1" and hour % 40 == 0 else 0
            shown.append(event("token.issued.client_credentials", hour * 3600 + n * 250 - late, client))
    return shown

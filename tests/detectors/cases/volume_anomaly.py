"""Five weeks of three clients that work every day: one gets too many tokens at the end, in bursts, with late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event

HOUR = 3600


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for day in range(36):
        for second in range(9 * HOUR, 11 * HOUR, 600):
            for n, client in enumerate(("steady", "abused", "late")):
                abused = client != "steady" and day > 32
                for token in range(160 if abused else 4 + day % 3):
                    delay = 3 * HOUR if client == "late" and token % 7 == 3 else 0
                    written = day * 24 * HOUR + second + n + token - delay
                    shown.append(
                        event("token.issued.client_credentials", written, client, event_id=f"{client}-{len(shown)}")
                    )
    return shown

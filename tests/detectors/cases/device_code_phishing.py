"""Three weeks of ten users and their devices: at home, on the way, and three that are phished; late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for step in range(21 * 24 * 4):
        second, user = step * 900, f"u-{step % 10}"
        late = 8000 if step % 55 == 0 else 0
        shown.append(event("token.refreshed", second - late, "web", user=user, ip=f"203.0.{step % 10}.7"))
        if step % 97 == 0:
            shown.append(
                event(
                    "token.issued.device_code",
                    second + 5 - late,
                    "tv",
                    user=user,
                    ip=f"203.0.{step % 17}.9",
                    event_id=f"d{step}",
                )
            )
        if step // 96 in {17, 18} and step % 7 == 0:
            shown.append(
                event("token.issued.device_code", second + 9, "cli", user=user, ip="198.51.100.1", event_id=f"p{step}")
            )
    return shown

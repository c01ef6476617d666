"""Three weeks of clients and users at home, with wrong secrets and passwords there and elsewhere; late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for step in range(21 * 24 * 6):
        second, n = step * 600, step % 3
        late = 1500 if step % 50 == 0 else 0
        home = f"203.0.{n}.7"
        shown.append(event("token.issued.client_credentials", second - late, f"app-{n}", ip=home))
        shown.append(event("token.issued.password", second + 1 - late, "web", user=f"u-{n}", ip=home))
        if step % 144 < 40 and step // 144 > 15:
            ip = home if step // 144 == 18 else "198.51.100.7"
            for failure in range(3):
                at = second + 60 * failure - late
                shown.append(
                    event("token.validation_failed", at, "app-1", error="invalid_client", ip=ip, event_id=f"e{at}")
                )
                shown.append(event("token.validation_failed", at, "web", error="invalid_grant", user="u-2", ip=ip))
            if step % 20 == 19:
                shown.append(event("token.issued.client_credentials", second + 200, "app-1", ip=ip))
                shown.append(event("token.issued.password", second + 200, "web", user="u-2", ip=ip))
    return shown

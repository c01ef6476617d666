"""Three clients for three weeks, of which one probes at times, one is misconfigured and one is allowed more; late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for step in range(24 * 21 * 4):
        second, hour = step * 900, step // 4
        for client in ("probing", "broken", "grown"):
            late = 5000 if step % 90 == 0 else 0
            scopes = "read write" if client == "grown" and hour > 300 else "read"
            shown.append(event("token.issued.client_credentials", second - late, client, scopes=scopes))
            if client == "broken" or (client == "grown" and 290 < hour < 300):
                shown.append(
                    event("token.validation_failed", second + 5, client, error="invalid_scope", scopes="write")
                )
        if hour in {200, 201, 400, 430, 431}:
            asked = f"admin-{step}"
            shown.append(event("token.validation_failed", second + 9, "probing", error="invalid_scope", scopes=asked))
        if step == 433 * 4:
            shown.append(
                event("token.issued.client_credentials", second, "probing", scopes="read admin", event_id="got")
            )
    return shown

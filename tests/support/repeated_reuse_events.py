"""Reuse of refresh tokens: three clients, again and again for an hour, with pauses and late events among it."""

from parsers.contract import EventRow, Tags

START_MS = 1_767_225_600_000


def event(action: str, second: int, client_id: str, ip: str) -> EventRow:
    """Return an event so many seconds after the start."""
    tags = Tags(action, client_id, "token", "", "", "failure", "")
    return START_MS + second * 1000, None, tags, "u-1", ip, "curl/8", None, None, None, None


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for second in range(0, 20_000, 10):
        action = "token.reuse_detected" if second % 70 == 0 and second % 9000 < 3000 else "token.refreshed"
        late = 4000 if second % 1050 == 0 else 0
        shown.append(event(action, second - late, f"app-{second // 10 % 3}", f"203.0.113.{second % 13}"))
    return shown

"""Refreshes of some users for five days: one shares, one travels, the others stay; late events among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event

AGENTS = ("Firefox/1", "Chrome/1", "Safari/1", "curl/1", "okhttp/1")


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown: list[EventRow] = []
    for step in range(5 * 24 * 12):
        second = step * 300
        user = ("sharing", "travelling", "home", "office")[step % 4]
        sharing = user == "sharing" and 20 < second // 3600 % 48 < 30
        network = step % 9 if sharing else step // 40 if user == "travelling" else 0
        agent = AGENTS[step % 5] if sharing else AGENTS[0]
        late = 7000 if step % 60 == 0 else 0
        shown.append(
            event(
                "token.refreshed", second - late, user=user, ip=f"203.0.{network}.9", agent=agent, event_id=f"e{step}"
            )
        )
    return shown

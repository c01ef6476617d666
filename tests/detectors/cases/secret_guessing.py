"""Wrong secrets of three clients: from one address, from many, now and then; and successes among it."""

from parsers.contract import EventRow
from tests.detectors.cases.made import event


def events() -> list[EventRow]:
    """Return what the detector is shown, in the order of the log."""
    shown = []
    for second in range(0, 40_000, 20):
        client = ("few", "many", "rare")[second // 20 % 3]
        network = {"few": 1, "many": 11, "rare": 50}[client]
        fails = second % 13_000 < 4000 and (client != "rare" or second % 1200 == 0)
        late = 2500 if second % 1700 == 0 else 0
        action, error = (
            ("token.validation_failed", "invalid_client") if fails else ("token.issued.client_credentials", "")
        )
        shown.append(
            event(action, second - late, client, error=error, ip=f"203.0.113.{second % network}", event_id=f"e{second}")
        )
    return shown

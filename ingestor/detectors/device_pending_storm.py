"""Somebody waits for very many device codes at once (RFC 8628 sections 3.5 and 5.4): they were sent to people who may complete them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.flood import Flood
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.surge import MINUTE_MS
from parsers.contract import EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePendingStormOptions(Options):
    """How many answers are a storm."""

    answers: int = 1_800
    """So many answers `authorization_pending` in a quarter of an hour: ten device codes that are polled every five seconds all the time."""


class DevicePendingStorm(Flood[DevicePendingStormOptions]):
    """Finds it by client and address. Always low: ten televisions in a shop that wait at the screen with the code do the same.

    Answers `slow_down` do not count: who gets these polls one code too fast, and has not many.

    Blind: to campaigns from many addresses, or with few codes at a time. Whether somebody fell for it, the detector of device code phishing says.
    """

    name = "device_pending_storm"
    title = "Very many device codes are waited for"
    actions = frozenset({"token.authorization_pending"})
    options = DevicePendingStormOptions
    thresholds = ("answers",)

    def subjects_of(self, rows: Sequence[EventRow]) -> Iterable[Key | None]:
        """Return the clients with the addresses."""
        return [None if row[2].error == "slow_down" else (row[2].realm, row[2].client_id, row[4] or "") for row in rows]

    def most(self, options: DevicePendingStormOptions) -> int:
        """Return the option."""
        return options.answers

    def window_ms(self) -> int:
        """Return a quarter of an hour."""
        return 15 * MINUTE_MS


DETECTOR = DevicePendingStorm

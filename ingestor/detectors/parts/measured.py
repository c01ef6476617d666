"""What a detector tells a meter: how much there was, whether or not it became an incident."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from ingestor.detectors.contract import Meter
from ingestor.detectors.parts.case import Subject
from ingestor.detectors.parts.evidence import MOST_COUNTED, Figures, hit_of
from ingestor.detectors.parts.window import MOST_HITS, Window
from parsers.contract import Event

_MOST_WINDOWS: Final = 5_000


class Measurable:
    """Implements ``Measured`` for detectors that look at ``meter`` themselves: it is None unless somebody measures."""

    thresholds: Sequence[str] = ()
    meter: Meter | None = None

    def measure(self, meter: Meter) -> None:
        """Tell this meter from now on."""
        self.meter = meter


class Windows:
    """The windows of subjects as they would be if nothing became an incident: an incident has no window any more."""

    def __init__(self) -> None:
        self._windows: OrderedDict[Subject, Window] = OrderedDict()

    def add(self, subject: Subject, event: Event, window_ms: int) -> Figures:
        """Have an event belong to the window of its subject; return how much that is now."""
        window = self._windows.get(subject)
        if window is None or window.newest - event.time_ms > window_ms:
            window = self._windows[subject] = Window()
        self._windows.move_to_end(subject)
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
        newest = max(event.time_ms, window.newest) if window.hits else event.time_ms
        window.add(hit_of(event), newest - window_ms)
        return window.figures


_MANY: Final = MOST_COUNTED
FULL: Final = Figures(
    events=MOST_HITS,
    ips=_MANY,
    clients=_MANY,
    users=_MANY,
    user_agents=_MANY,
    addresses=[f"10.0.{number}.1" for number in range(_MANY)],
    span_ms=1 << 40,
)
"""As much as a window holds, as far as an incident tells it apart."""

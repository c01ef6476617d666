"""A bar chart of characters: events of the day by twenty minutes, failures at the foot of each bar. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from ingestor.demo.endpoint import Happening
from ingestor.demo.frame import BUCKET_MS, BUCKETS, Bucket
from ingestor.demo.personas import HOUR_MS

GOOD = "green"
BAD = "red"
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_MARGIN = 6
WIDTH = _MARGIN + BUCKETS


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a terminal can show. Without colour, failures are told by their character."""

    coloured: bool
    unicode: bool

    @property
    def mark(self) -> str:
        """Points up at the chart."""
        return "▲" if self.unicode else "^"

    @property
    def good(self) -> str:
        """A full cell."""
        return "█" if self.unicode else "#"

    @property
    def bad(self) -> str:
        """A full cell of failures."""
        return "█" if self.unicode and self.coloured else "x"


def bars(buckets: Sequence[Bucket], height: int, glyphs: Glyphs) -> list[Text]:
    """Return ``height`` lines, the highest first, with the scale at the left."""
    most = max((bucket.events for bucket in buckets), default=0) or 1
    lines = []
    for row in reversed(range(height)):
        label = f"{most:,}" if row == height - 1 else f"{most // 2:,}" if row == height // 2 - 1 else ""
        line = Text(no_wrap=True).append(label.rjust(_MARGIN - 1)[: _MARGIN - 1] + " ", style="dim")
        for bucket in buckets:
            # Something is never nothing: a bar of one event has an eighth of a cell.
            filled = max(int(bucket.events > 0), round(bucket.events / most * height * 8)) - 8 * row
            failed = round(bucket.failures / most * height * 8) - 8 * row
            line.append(*_cell(min(8, max(0, filled)), min(8, max(0, failed)), glyphs))
        lines.append(line)
    return lines


def _cell(filled: int, failed: int, glyphs: Glyphs) -> tuple[str, str]:
    """Return the character of a cell that is filled so far, by failures so far (in eighths), and its style."""
    if not (glyphs.coloured and glyphs.unicode):
        if filled < 4:  # less than half a cell
            return " ", ""
        return (glyphs.bad, BAD) if failed >= 4 else (glyphs.good, GOOD)
    if failed == 0:
        return _EIGHTHS[filled], GOOD
    if filled == 8:
        return _EIGHTHS[failed], BAD if failed == 8 else f"{BAD} on {GOOD}"
    return _EIGHTHS[filled], BAD if failed * 2 >= filled else GOOD


def axis(start_ms: int, zone: ZoneInfo) -> Text:
    """Return the line of hours under the chart."""
    labels = [" "] * WIDTH
    for column in range(BUCKETS - 4):  # what would be cut is left out
        moment = start_ms + column * BUCKET_MS
        # The first bar that begins in a full hour divisible by four.
        hour = datetime.fromtimestamp((moment + BUCKET_MS - 1) / 1000, zone)
        if hour.hour % 4 == 0 and moment // HOUR_MS != (moment + BUCKET_MS - 1) // HOUR_MS:
            labels[_MARGIN + column : _MARGIN + column + 5] = f"{hour:%H}:00"
    return Text("".join(labels).rstrip(), style="dim", no_wrap=True)


def markers(happenings: Sequence[Happening], start_ms: int, glyphs: Glyphs) -> Text:
    """Return the line that says under the chart what happened when."""
    line = Text(no_wrap=True)
    for happening in happenings:
        column = _MARGIN + min(BUCKETS - 1, (happening.time_ms - start_ms) // BUCKET_MS)
        line.append(" " * max(int(bool(line)), column - len(line)))
        line.append(f"{glyphs.mark} {happening.label}", style=f"bold {BAD}" if happening.alarming else "cyan")
    return line

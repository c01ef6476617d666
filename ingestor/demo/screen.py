"""Where the demo shows itself: live on a terminal, a few plain lines elsewhere, nowhere for programs."""

import contextlib
from types import TracebackType
from typing import Protocol, Self
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ingestor.demo import view
from ingestor.demo.chart import Glyphs
from ingestor.demo.frame import Frame
from ingestor.demo.personas import DAY_MS
from ingestor.model.words import counted

_PROGRESS_LINES = 6


class Screen(Protocol):
    """Shows frames, one after the other."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> bool | None: ...
    def show(self, frame: Frame) -> None:
        """Show this one."""


def glyphs_of(console: Console) -> Glyphs:
    """Return what this console can show."""
    coloured = console.color_system is not None and not console.no_color
    return Glyphs(coloured=coloured, unicode=console.encoding.lower().startswith("utf"))


def screen_for(console: Console, zone: ZoneInfo, title: str, *, silent: bool) -> Screen:
    """Return the screen that suits: a terminal that is too small gets lines, like a pipe. ``title``: whose log it is."""
    if silent:
        return SilentScreen()
    columns, rows = view.SMALLEST
    if console.is_terminal and not console.is_dumb_terminal and console.width >= columns and console.height >= rows:
        return LiveScreen(console, zone, title)
    return LineScreen(console, zone)


class SilentScreen(contextlib.AbstractContextManager["SilentScreen"]):
    """Shows nothing."""

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""

    def show(self, frame: Frame) -> None:
        """Show nothing."""


class LiveScreen(contextlib.AbstractContextManager["LiveScreen"]):
    """Redraws in place; the closing page takes its room afterwards."""

    def __init__(self, console: Console, zone: ZoneInfo, title: str) -> None:
        self._console = console
        self._zone = zone
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the room."""
        self._live.stop()

    def show(self, frame: Frame) -> None:
        """Draw the frame over the last one, in the terminal's present size."""
        width, height = self._console.size
        glyphs = glyphs_of(self._console)
        picture = view.render(frame, title=self._title, width=width, height=height, zone=self._zone, glyphs=glyphs)
        self._live.update(picture, refresh=True)


class LineScreen(contextlib.AbstractContextManager["LineScreen"]):
    """Prints what happens, and now and then how far it is: for pipes, logs and very small terminals."""

    def __init__(self, console: Console, zone: ZoneInfo) -> None:
        self._console = console
        self._zone = zone
        self._told = 0
        self._shown = 0

    def __exit__(self, *_: object) -> None:
        """Leave what was printed."""

    def show(self, frame: Frame) -> None:
        """Print what is new."""
        for happening in frame.happenings[self._told :]:
            self._print(happening.time_ms, happening.text)
        self._told = len(frame.happenings)
        step = (frame.now_ms - frame.start_ms) * _PROGRESS_LINES // DAY_MS
        if step > self._shown:
            self._shown = step
            failures = frame.stats.total_failures
            self._print(
                frame.now_ms,
                f"{counted(frame.written, 'line')} written, {counted(frame.events, 'event')} stored, {counted(failures, 'failure')}",
            )

    def _print(self, time_ms: int, text: str) -> None:
        self._console.print(Text(f"{view.clock(time_ms, self._zone)}  {text}"), soft_wrap=True)

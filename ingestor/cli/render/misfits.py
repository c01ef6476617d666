"""What people are told of logs that are not understood, the same by every command."""

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ingestor.cli.render.wrap import fold
from ingestor.format_check.misfit import Misfit
from ingestor.format_check.understanding import Grasp, Understanding
from parsers.text import clean

_LABEL = 14


def print_misfits(console: Console, misfits: Sequence[Misfit]) -> None:
    """Print a block for each: what is wrong, what it looks like, a line of it, what to do."""
    room = max(20, console.width - _LABEL - 1)
    for misfit in misfits:
        console.print()
        head = _head(misfit.understanding)
        console.print(head.append(clean(misfit.path), style="not bold"))
        told = {
            "lines": _prose(f"{misfit.understanding.told()}.", room),
            "looks like": _prose(misfit.looks_like, room),
            "most often": _prose(misfit.reason, room),
            "such as": fold(misfit.example, room) if misfit.example else [],
            "what to do": _prose(misfit.advice, room),
        }
        for name, lines in told.items():
            for number, line in enumerate(lines):
                label = Text(f"  {'' if number else name}".ljust(_LABEL), style="dim")
                console.print(label.append(line, style="not dim"), no_wrap=True, overflow="ignore", crop=False)


def _head(understanding: Understanding) -> Text:
    if understanding.wrong:
        return Text("Not understood: ", style="bold red")
    what = "Lines rejected: " if understanding.grasp is Grasp.PARTLY else "Hardly any event: "
    return Text(what, style="bold yellow")


def _prose(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_on_hyphens=False)

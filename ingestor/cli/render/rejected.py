"""Rejected lines and what becomes of them, for people."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from ingestor.cli.render.console import number
from ingestor.model.words import counted
from ingestor.state.rejected_file import RejectedLine
from parsers.redaction.lines import MASK
from parsers.text import clean


def rejected(console: Console, entries: Sequence[RejectedLine], *, unlisted: int = 0) -> None:
    """Print each rejected line: why, where, and its redacted text."""
    for entry in entries:
        console.print(
            Text.assemble(
                (entry.reason, "bold red"),
                f"  {entry.detail}" if entry.detail else "",
                (f"  line {number(entry.ordinal + 1)}, byte {number(entry.offset)} of {clean(entry.file)}", "dim"),
            )
        )
        console.print(Text(f"  {entry.text}"))
        console.print()
    explain_masks(console, masked=any(MASK in entry.text for entry in entries))
    if entries:
        advice = "after a fix, `tokentail rejected replay` reads them again."
        console.print(Text(f"{counted(len(entries), 'line')} shown; {advice}", style="dim"))
    elif unlisted <= 0:
        console.print(Text("No line is rejected.", style="green"))
    if unlisted > 0:
        console.print(Text(unlisted_lines(unlisted), style="yellow"))


def unlisted_lines(count: int) -> str:
    """Say of rejected lines that they are counted and in no list, as after a backup was restored without it."""
    are = "is" if count == 1 else "are"
    return (
        f"{counted(count, 'rejected line')} {are} counted and not in the list here, which was deleted or not restored."
    )


def explain_masks(console: Console, *, masked: bool) -> None:
    """Say what ``[masked]`` means, where it was shown."""
    if masked:
        console.print(
            Text(
                f"{MASK} stands for a value that may be a secret. The line itself is in its file, where it was.",
                style="dim",
            )
        )


def replayed(console: Console, answer: Mapping[str, int]) -> None:
    """Print what became of the rejected lines."""
    stored, ignored, still, gone = (answer[name] for name in ("stored", "ignored", "rejected", "not_found"))
    console.print(
        Text(f"{number(stored)} stored, {number(ignored)} ignored, {number(still)} still rejected.", style="bold")
    )
    if gone:
        console.print(
            Text(f"{counted(gone, 'line')} not found: their file is gone, or no longer holds them.", style="yellow")
        )

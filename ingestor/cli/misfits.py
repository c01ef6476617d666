"""What people are told of logs that are not understood, the same by every command."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.folding import Folding
from ingestor.core.misfit import Misfit
from parsers.text import clean


def print_misfits(console: Console, misfits: Sequence[Misfit]) -> None:
    """Print a block for each: what is wrong, what it looks like, a line of it, what to do."""
    for misfit in misfits:
        console.print()
        wrong = misfit.understanding.wrong
        head = Text("Not understood: " if wrong else "Hardly any event: ", style="bold red" if wrong else "bold yellow")
        console.print(head.append(clean(misfit.path), style="not bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=1)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("", "lines", Text(f"{misfit.understanding.told()}."))
        for name, text in (("looks like", misfit.looks_like), ("most often", misfit.reason)):
            if text:
                table.add_row("", name, Text(text))
        if misfit.example:
            table.add_row("", "such as", Folding(misfit.example))
        table.add_row("", "what to do", Text(misfit.advice))
        console.print(table)

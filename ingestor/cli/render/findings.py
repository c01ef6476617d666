"""Findings for people: a table, in the wider of two forms that the screen holds, and lines for those that come by and by."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import duration, list_table, local_time, number
from ingestor.cli.render.screen import fits, flow
from ingestor.cli.render.wrap import Folding
from ingestor.detectors.registry import EVENT, title_of, unit_of
from ingestor.model.finding import Severity, StoredFinding
from ingestor.model.finding_words import NAMED, SIGNS, about, sources
from ingestor.model.finding_words import evidence as evidence_of
from ingestor.model.identity import MILLISECOND_SLOTS

STYLES = {
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "bold red",
    Severity.CRITICAL: "bold white on red",
}
_WIDEST = len(f"{SIGNS[Severity.CRITICAL]} {Severity.CRITICAL}")


def severity(console: Console, finding: StoredFinding) -> Text:
    """Write how bad it is, in words and colour."""
    level = Severity(finding.severity)
    sign = "" if console.options.ascii_only else f"{SIGNS[level]} "
    return Text(f"{sign}{level}", style=STYLES[level])


def found(console: Console, finding: StoredFinding) -> Text:
    """Write a finding in the line of an event that it grew by."""
    what = f"  {title_of(finding.pattern)} ({finding.pattern})"
    return Text.assemble(severity(console, finding), what, f"\n{about(finding)}: {_evidence(finding)}")


def findings(console: Console, listed: Sequence[StoredFinding], zone: str) -> None:
    """Print findings, the first one first. ``zone``: of the times."""
    forms: tuple[Callable[..., Table], ...] = (_wide, _stacked)
    table = next((table for form in forms if fits(console, table := form(console, listed, zone))), None)
    if table is not None:
        console.print(table)
        return
    for finding in listed:
        line(console, finding, zone)


def detectors(console: Console, enabled: Mapping[str, bool]) -> None:
    """Print who looks for what, by name, and who does not."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, is_on in enabled.items():
        style = "" if is_on else "dim"
        title = title_of(name) if is_on else f"{title_of(name)} (switched off in the configuration)"
        table.add_row(Text(f"    {name}", style=style), Text(title, style=style))
    console.print(table)


def line(console: Console, finding: StoredFinding, zone: str, *, before: int | None = None) -> None:
    """Print one finding in lines of its own. ``before``: how many events it had when it was printed last."""
    for text in _lines(console, finding, zone, before):
        console.print(text, soft_wrap=True)


def _wide(console: Console, listed: Sequence[StoredFinding], zone: str) -> Table:
    table = list_table("severity", "last event", "finding")
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("addresses")
    for finding in listed:
        unit = unit_of(finding.pattern)
        table.add_row(
            severity(console, finding),
            Text.assemble(f"{_when(finding, zone)}\n", (_lasted(finding), "dim")),
            _what(finding, about(finding)),
            number(finding.events) + ("" if unit == EVENT else f"\n{unit}s"),
            Folding(sources(finding, 1).replace(" and ", "\nand ") or "-"),
        )
    return table


def _stacked(console: Console, listed: Sequence[StoredFinding], zone: str) -> Table:
    """No year, which stands in the heading; whom and from where below what was found."""
    table = list_table("severity", "last event", "finding")
    for finding in listed:
        time = Text.assemble(f"{_when(finding, zone)[len('2026-') :]}\n", (_lasted(finding), "dim"))
        table.add_row(severity(console, finding), time, _what(finding, about(finding), _evidence(finding, 1)))
    return table


def _evidence(finding: StoredFinding, most: int = NAMED) -> str:
    return evidence_of(finding, most, unit_of(finding.pattern))


def _what(finding: StoredFinding, *said: str) -> Text:
    return Text.assemble(
        (title_of(finding.pattern), "bold"), *(f"\n{text}" for text in said), (f"\n{finding.id}", "dim")
    )


def _lines(console: Console, finding: StoredFinding, zone: str, before: int | None) -> Iterator[Text]:
    """Yield the lines; one that goes on stands further in, so that it begins no other."""
    level = severity(console, finding)
    blanks = " " * (_WIDEST - level.cell_len + 2)
    head = Text.assemble(f"{_when(finding, zone)}  ", level, blanks, (title_of(finding.pattern), "bold"))
    yield from flow(head, console.width, indent=6)
    grown = f" ({number(before)} before)" if before is not None else ""
    for text in (f"{about(finding)}: {_evidence(finding)}{grown}", finding.id):
        yield from flow(Text(f"  {text}", style="dim" if text == finding.id else ""), console.width, indent=6)


def _when(finding: StoredFinding, zone: str) -> str:
    return f"{local_time(finding.last_seen * MILLISECOND_SLOTS, zone):%Y-%m-%d %H:%M:%S}"


def _lasted(finding: StoredFinding) -> str:
    return (
        ""
        if finding.last_seen == finding.first_seen
        else f"for {duration((finding.last_seen - finding.first_seen) / 1000)}"
    )

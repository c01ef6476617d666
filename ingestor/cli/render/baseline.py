"""The baseline for people: what was found, how far the events are from each threshold, what is proposed and why."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import list_table, number, period_text
from ingestor.cli.render.findings import STYLES
from ingestor.cli.render.screen import flow
from ingestor.cli.render.wrap import Folding
from ingestor.jobs.baseline.answer import LITTLE_DAYS, Baseline, Figure, OfDetector
from ingestor.jobs.baseline.meter import Client
from ingestor.jobs.baseline.proposal import Proposal, Verdict
from ingestor.model.finding import RANKS, Severity
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.questions import Period
from ingestor.model.statistics import client_key, client_name
from ingestor.model.words import counted

_CLIENTS: Final = 3
"""Of each threshold so many clients are shown, those with the largest figures."""
_IDS: Final = 5
_REMAINING: Final = 10


def baseline(console: Console, answer: Baseline, zone: str) -> None:
    """Print the whole answer. ``zone``: of times."""
    measured = answer.measured
    period = Period(measured.first_ms * MILLISECOND_SLOTS, measured.last_ms * MILLISECOND_SLOTS)
    _say(console, Text(f"{counted(measured.events, 'event')}, {period_text(period, zone)}"))
    for remark in remarks(answer):
        _say(console, Text(remark, style="yellow"))
    console.print(Text("\nFindings with the options of today", style="bold"))
    console.print(_findings(answer))
    if any(each.figures for each in answer.detectors):
        console.print(Text("\nWhat is compared with thresholds", style="bold"))
        console.print(_figures(answer.detectors))
    console.print(Text("\nProposal", style="bold"))
    said = [line for each in answer.detectors for proposal in each.proposals for line in _proposed(each.name, proposal)]
    for line in said or ["Every threshold fits these events."]:
        _say(console, Text(f"  {line}"))
    if answer.remaining:
        _say(console, Text(f"\n{_remaining(answer)}"))
    if answer.toml:
        console.print(Text("\nFor the configuration, instead of its tables of these names:\n", style="dim"))
        console.print(Text(answer.toml, style="green"), soft_wrap=True, end="")


def remarks(answer: Baseline) -> Iterator[str]:
    """Yield what has to be known of the answer before it is believed."""
    measured = answer.measured
    if not measured.events:
        yield "No events in this period: nothing is proposed."
    elif measured.days < LITTLE_DAYS:
        yield (
            f"That is little to go by: {measured.days:.1f} days. Several detectors learn for a week or two before they find "
            "anything, and what recurs shows after weeks."
        )
    if measured.failures:
        yield f"A detector failed {counted(measured.failures, 'time')}; its figures are too small."
    if measured.lost or any(meter.lost for meter in measured.meters.values()):
        yield "There were more findings than are kept: the first of each detector are told."


def _findings(answer: Baseline) -> Table:
    table = list_table("detector")
    for severity in Severity:
        table.add_column(severity.value, justify="right")
    table.add_column("a week", justify="right")
    weeks = max(answer.measured.days, 1) / 7
    for each in answer.detectors:
        counts, style = each.by_severity, "" if each.enabled else "dim"
        cells = [
            Text(number(counts[severity]), style=STYLES[severity] if counts[severity] else "dim")
            for severity in Severity
        ]
        week = f"{counts.total() / weeks:.1f}" if counts else "-"
        table.add_row(Text(each.name, style=style), *cells, week if each.enabled else Text("off", style="dim"))
    return table


def _figures(detectors: Sequence[OfDetector]) -> Table:
    table = list_table("threshold")
    for heading in ("windows", "p50", "p95", "p99", "max", "recurs", "today", "fits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in detectors:
        told = {(proposal.threshold, proposal.client): proposal for proposal in each.proposals}
        shown = [figure for figure in each.figures if figure.client is None or _is_shown(figure, each, told)]
        if any(figure.distribution.count for figure in shown):
            table.add_row(Text(each.name, style="bold"))
        for figure in shown:
            if figure.distribution.count:
                table.add_row(*_row(figure, told.get((figure.threshold, figure.client))))
    return table


def _is_shown(figure: Figure, each: OfDetector, told: dict[tuple[str, Client | None], Proposal]) -> bool:
    of_it = [other for other in each.figures if other.threshold == figure.threshold and other.client is not None]
    return (figure.threshold, figure.client) in told or (len(of_it) > 1 and figure in of_it[:_CLIENTS])


def _row(figure: Figure, proposal: Proposal | None) -> list[Text | Folding]:
    of_it = figure.distribution
    name = Folding(f"  {figure.threshold}" if figure.client is None else f"    {_name(figure.client)}", indent=4)
    numbers = [of_it.count, *map(of_it.percentile, (50, 95, 99)), of_it.largest]
    recurs = Text("-", style="dim") if proposal is None else Text(number(proposal.recurs))
    cells = [*(Text(number(value)) for value in numbers), recurs, Text(number(figure.today))]
    return [name, *cells, _fits(proposal)]


def _fits(proposal: Proposal | None) -> Text:
    if proposal is None:
        return Text("")
    if proposal.verdict is Verdict.FITS:
        return Text("yes", style="green")
    if proposal.verdict is Verdict.CHANGE:
        return Text(number(proposal.value), style="bold yellow")
    return Text("see below", style="bold red")


def _proposed(name: str, proposal: Proposal) -> Iterator[str]:
    """Say what is proposed, and what it costs."""
    if proposal.verdict is Verdict.FITS:
        return
    whose = f" of {_name(proposal.client)}" if proposal.client else ""
    what = f"{name}: {proposal.threshold}{whose}"
    reached = f"what is normal reaches {number(proposal.recurs)}"
    if proposal.verdict is Verdict.CHANGE and proposal.value < proposal.today:
        yield f"{what} {number(proposal.today)} → {number(proposal.value)}. No more than {number(proposal.recurs)} is normal."
    elif proposal.verdict is Verdict.CHANGE:
        yield f"{what} {number(proposal.today)} → {number(proposal.value)}: {reached}."
        if proposal.silences:
            yield f"  It silences {_ids(proposal.silences)}. Look at them before you take it."
    elif proposal.verdict is Verdict.NO_NUMBER:
        yield (
            f"{what} stays {number(proposal.today)}: {reached}, and {number(proposal.value)} is the most that the detector "
            "counts. No number is quiet; leave networks out, or switch it off there."
        )
    else:
        yield (
            f"{what} stays {number(proposal.today)}: {reached}, but {number(proposal.value)} would silence "
            f"{_ids(proposal.silences)}, of severity high or critical. If it was harmless, add --harmless ID."
        )


def _remaining(answer: Baseline) -> str:
    """Say what would still be found, and that somebody has to look at it."""
    ids = [found.id for found in sorted(answer.remaining, key=lambda found: -RANKS[found.severity])]
    return (
        f"{counted(len(ids), 'finding')} above low would still be made: {_ids(ids, _REMAINING)}. They are of "
        f"no threshold, were high or critical, or came on fewer than {answer.measured.days_to_recur} days. `tokentail events --finding ID` shows the events of one. If it was harmless, add --harmless ID."
    )


def _ids(ids: Sequence[str], most: int = _IDS) -> str:
    named = ", ".join(ids[:most])
    return f"{named} and {len(ids) - most} more" if len(ids) > most else named


def _name(client: Client) -> str:
    return client_name(client_key(*client))


def _say(console: Console, text: Text) -> None:
    for line in text.split("\n"):
        for piece in flow(line, console.width):
            console.print(piece, soft_wrap=True)

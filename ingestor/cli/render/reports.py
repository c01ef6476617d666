"""Reports on lines, files and the machine, for people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.activity import OUTCOME_STYLES
from ingestor.cli.render.console import SMALL_SCREEN, duration, list_table, number, word
from ingestor.cli.render.findings import found
from ingestor.cli.render.wrap import Folding
from ingestor.jobs.explain import Explanation
from ingestor.jobs.verify import Verified
from ingestor.model.check_result import CheckResult, Level
from ingestor.model.questions import Record
from ingestor.model.words import NO_CLIENT, counted
from parsers.text import clean

_LEVEL_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_RESULT_STYLES = {"event": "green", "ignored": "dim", "rejected": "bold red"}


# explain


def explanations(console: Console, lines: Iterable[Explanation]) -> None:
    """Print a block for each line as it comes."""
    for explanation in lines:
        console.print(_explanation(console, explanation))


def explained(console: Console, seen: Mapping[str, int]) -> None:
    """Print how many lines came to which result."""
    if any(seen.values()):
        events = counted(seen["event"], "event")
        console.print(
            Text(f"{events}, {number(seen['ignored'])} ignored, {number(seen['rejected'])} rejected", style="bold")
        )
    else:
        console.print(Text("There was no line to explain.", style="yellow"))


def _explanation(console: Console, explanation: Explanation) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    head = Text(explanation.result, style=_RESULT_STYLES[explanation.result])
    table.add_row(f"line {explanation.ordinal + 1}", head)
    if explanation.event is not None:
        head.append(f"  {explanation.event.action}", style="bold")
        for name, value in _told(explanation.event):
            table.add_row(name, value)
        table.add_row("parser", _parser(explanation))
        table.add_row("point", Folding(explanation.point or "", "cyan"))
        for finding in explanation.findings:
            table.add_row("finding", found(console, finding))
    else:
        reason = (explanation.reason or "").replace("_", " ") if explanation.result == "ignored" else explanation.reason
        head.append(f"  {reason}", style="not dim bold")
        if explanation.detail:
            head.append(f": {explanation.detail}", style="not dim not bold")
        table.add_row("parser", _parser(explanation))
        table.add_row("text", Folding(explanation.text))
    table.add_row("", "")
    return table


def _parser(explanation: Explanation) -> Text:
    return Text(f"{explanation.parser}, {explanation.rule}" if explanation.rule else explanation.parser)


def _told(event: Record) -> Iterable[tuple[str, Text]]:
    """Yield what is known of an event, but for what stands elsewhere or in the point alone."""
    for name, value in (event._asdict() | {"client_id": event.client_id or NO_CLIENT}).items():
        if value is None or name in {"action", "source", "host"}:
            continue
        style = OUTCOME_STYLES.get(event.outcome, "") if name == "outcome" else ""
        shown = f"{value} s ({duration(value)})" if name == "expires_in" else str(value)
        yield name.replace("_", " "), Text(shown, style=style)


# validate


def findings(console: Console, found: Sequence[CheckResult]) -> None:
    """Print every finding, then the verdict."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in found:
        what = Text(clean(finding.what))
        if finding.where:
            what.append(f"  {clean(finding.where)}", style="dim")
        if finding.advice and finding.level is not Level.OK:
            what.append("".join(f"\n{clean(line)}" for line in finding.advice.split("\n")), style="italic")
        table.add_row(Text(finding.level.value, style=_LEVEL_STYLES[finding.level]), what)
    console.print(table)
    console.print()
    errors, warnings = (sum(f.level is level for f in found) for level in (Level.ERROR, Level.WARNING))
    if errors:
        console.print(Text(f"{counted(errors, 'error')}: tokentail cannot run well like this.", style="bold red"))
    elif warnings:
        console.print(Text(f"No error, {counted(warnings, 'warning')}.", style="yellow"))
    else:
        console.print(Text("All is well.", style="green"))


# verify and backfill


def verified(console: Console, results: Sequence[Verified], *, wrong: Collection[str] = ()) -> None:
    """Print a verdict for each file, and the first lines that are not as they should be. ``wrong``: files not understood."""
    for result in results:
        good = result.good and result.path not in wrong
        verdict = Text("good" if good else "bad", style="green" if good else "bold red")
        source = f"  source {clean(result.source)}" if result.source != result.path else ""
        console.print(Text.assemble(verdict, "  ", clean(result.path), (source, "dim")))
        counts = [
            ("event" if result.events == 1 else "events", result.events),
            ("stored exactly so", result.stored),
            ("missing", result.missing),
        ]
        counts += [("different", result.different), ("under other tags", result.other_tags)]
        counts += [("stored twice", result.twice), ("left over", result.left_over), ("not read yet", result.unread)]
        counts += [("older than InfluxDB keeps", result.expired)]
        counts += [("rejected", result.rejected), ("ignored", result.ignored)]
        shown = [
            f"{number(count)} {name}"
            for name, count in counts
            if count or name in {"event", "events", "stored exactly so"}
        ]
        console.print(Text(f"      {', '.join(shown)}"))
        for fault in result.faults:
            console.print(
                Text(f"      line {number(fault.line)}, byte {number(fault.offset)}: {fault.what}", style="red")
            )
        if result.problem:
            console.print(Text(f"      {clean(result.problem)}", style="red"))
        if advice := _advice(result):
            console.print(Text(f"      {advice}", style="italic"))


def _advice(result: Verified) -> str:
    if result.good:
        return ""
    if not result.known:
        return "The state does not know this content: `tokentail backfill` reads it, with --source when it has another."
    if result.other_tags or result.twice or result.left_over:
        return "It was stored under other [errors] or by another release. `tokentail backfill` stores it as it is read now."
    if result.missing or result.different:
        return "`tokentail backfill` reads it again, which mends what is missing or different."
    return "`tokentail run` or `tokentail backfill` reads the rest." if result.unread else ""


def backfilled(console: Console, files: Sequence[Mapping[str, Any]]) -> None:
    """Print what became of each file."""
    named = any(file["source"] != file["path"] for file in files)
    kinds = ["lines", "new", "stored", "rejected", "ignored", *(["expired"] if _any(files, "expired") else [])]
    kinds = kinds[:4] if console.width < SMALL_SCREEN else kinds
    table = list_table("file", *(["source"] if named else []))
    for name in kinds:
        table.add_column(name, justify="right", no_wrap=True)
    for file in files:
        names = [word(clean(file[name])) for name in ("path", *(["source"] if named else []))]
        table.add_row(*names, *(number(file[name]) for name in kinds))
    console.print(table)
    for file in files:
        if file["problem"]:
            console.print(Text(clean(file["problem"]), style="red"))
    lines, new, again = (sum(file[name] for file in files) for name in ("lines", "new", "again"))
    if again:
        console.print(Text(f"{counted(again, 'line')} read again under the present rules.", style="dim"))
    elif lines and not new:
        console.print(Text("Every line had been counted before: nothing has changed.", style="dim"))


def _any(files: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(file[name] for file in files)

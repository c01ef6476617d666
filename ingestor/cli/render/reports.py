"""Reports on lines, files, the state and the machine, for people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.activity import OUTCOME_STYLES
from ingestor.cli.render.console import SMALL_SCREEN, duration, list_table, number, word
from ingestor.cli.render.wrap import Folding
from ingestor.config.settings import Settings
from ingestor.jobs.explain import Explanation
from ingestor.jobs.status import StatusReport
from ingestor.jobs.store_status import StoreStatus
from ingestor.jobs.verify import Verified
from ingestor.model.accounting import Account
from ingestor.model.check_result import CheckResult, Level
from ingestor.model.questions import Record
from ingestor.state.rejected_file import RejectedLine
from ingestor.stores.comparing import said
from ingestor.stores.registry import store_of
from parsers.redaction.lines import MASK
from parsers.text import clean

_LEVEL_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_RESULT_STYLES = {"event": "green", "ignored": "dim", "rejected": "bold red"}
_MEGABYTE = 1 << 20


# explain


def explanations(console: Console, lines: Iterable[Explanation]) -> None:
    """Print a block for each line as it comes."""
    for explanation in lines:
        console.print(_explanation(explanation))


def explained(console: Console, seen: Mapping[str, int]) -> None:
    """Print how many lines came to which result."""
    if any(seen.values()):
        events = _counted(seen["event"], "event")
        console.print(
            Text(f"{events}, {number(seen['ignored'])} ignored, {number(seen['rejected'])} rejected", style="bold")
        )
    else:
        console.print(Text("There was no line to explain.", style="yellow"))


def _explanation(explanation: Explanation) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    head = Text(explanation.result, style=_RESULT_STYLES[explanation.result])
    table.add_row(f"line {explanation.ordinal + 1}", head)
    if explanation.event is not None:
        head.append(f"  {explanation.event.action}", style="bold")
        for name, value in _told(explanation.event):
            table.add_row(name, value)
        table.add_row("parser", Text(explanation.parser))
        table.add_row("point", Folding(explanation.point or "", "cyan"))
    else:
        reason = (explanation.reason or "").replace("_", " ") if explanation.result == "ignored" else explanation.reason
        head.append(f"  {reason}", style="not dim bold")
        if explanation.detail:
            head.append(f": {explanation.detail}", style="not dim not bold")
        table.add_row("parser", Text(explanation.parser))
        table.add_row("text", Folding(explanation.text))
    table.add_row("", "")
    return table


def _told(event: Record) -> Iterable[tuple[str, Text]]:
    """Yield what is known of an event, but for what stands elsewhere or in the point alone."""
    for name, value in event._asdict().items():
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
        console.print(Text(f"{_counted(errors, 'error')}: tokentail cannot run well like this.", style="bold red"))
    elif warnings:
        console.print(Text(f"No error, {_counted(warnings, 'warning')}.", style="yellow"))
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
        counts += [("stored twice", result.twice), ("not read yet", result.unread)]
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
    if result.other_tags or result.twice:
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
        console.print(Text(f"{_counted(again, 'line')} read again under the present rules.", style="dim"))
    elif lines and not new:
        console.print(Text("Every line had been counted before: nothing has changed.", style="dim"))


def _any(files: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(file[name] for file in files)


# status


def status(console: Console, report: StatusReport, settings: Settings, store: StoreStatus) -> None:
    """Print the accounting identity first, then what it is made of."""
    total = report.total
    state = Text("running", style="green") if report.running else Text("not running", style="yellow")
    checkpoint = "never" if report.checkpoint_age_seconds is None else f"{duration(report.checkpoint_age_seconds)} ago"
    lag = Text("none", style="green") if not report.lag_seconds else Text(duration(report.lag_seconds), style="yellow")
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("daemon", state)
    facts.add_row("lag", lag)
    facts.add_row("checkpoint", checkpoint)
    size = f"{report.store_bytes / _MEGABYTE:,.1f} MiB in {clean(str(settings.state_directory))}"
    if not (kept_in := store_of(settings)).in_state:
        facts.add_row("store", Text(clean(kept_in.describe())))
        facts.add_row("state", size)
    else:
        facts.add_row("store", size)
    facts.add_row("lines", Text(identity(total)))
    facts.add_row("events", _held(store))
    console.print(facts)
    for problem in report.problems:
        console.print(Text(f"\nProblem: {clean(problem)}", style="bold red"))
    _logs(console, report)
    reasons = {reason.value: lines for reason, lines in sorted(total.rejected.items()) if lines}
    if reasons:
        listed = ", ".join(f"{number(lines)} {reason}" for reason, lines in reasons.items())
        console.print(Text(f"\nRejected: {listed}", style="yellow"))
        console.print(Text("  `tokentail rejected list` shows the lines.", style="dim"))
    if report.counts:
        listed = ", ".join(f"{number(count)} {name.replace('_', ' ')}" for name, count in sorted(report.counts.items()))
        console.print(Text(f"\nLeft out since the daemon's start: {listed}", style="yellow"))
        if any(name.startswith("redacted_") for name in report.counts):
            console.print(Text("  What is redacted, the writer of the log should not have written.", style="dim"))
    for gap in report.gaps:
        console.print(Text(f"\nGap: {clean(str(gap))}", style="bold red"))
    if report.gaps:
        console.print(Text("  Find these bytes in a backup, and `tokentail backfill` them.", style="dim"))
    if report.set_aside:
        console.print(Text(f"\nA damaged state was set aside: {clean(report.set_aside)}", style="bold red"))
    if not report.logs:
        console.print(Text("\nNothing has been read yet: `tokentail run PATH` reads a log.", style="yellow"))


def _held(store: StoreStatus) -> Text:
    """Write whether the store holds what was counted, and what it had lost; what differs is told in red."""
    agreement = store.agreement
    if agreement is None:
        return Text(f"not compared with the store: {clean(store.problem)}", style="yellow")
    waiting = f"; {number(agreement.waiting)} more come in, or are not compared yet" if agreement.waiting else ""
    earlier = f"; {number(store.earlier)} of them from before this state, or of another" if store.earlier else ""
    again = f"; {number(store.brought_back)} that it had lost were sent again" if store.brought_back else ""
    if agreement.agrees:
        return Text(f"{number(agreement.found)} in the store, as counted{earlier}{waiting}{again}")
    return Text.assemble(
        f"{number(agreement.found)} in the store, {number(agreement.counted)} counted{earlier}{waiting}{again}",
        (f"\nThe store {clean(said(agreement))}", "bold red"),
        (
            "\n`tokentail backfill` brings back what is missing; `tokentail rollup rebuild` counts what nobody has counted.",
            "dim",
        ),
    )


def identity(account: Account) -> str:
    """Write the accounting identity with its numbers."""
    parts = [("stored", account.stored), ("rejected", account.total_rejected), ("ignored", account.ignored)]
    parts += [("expired", account.expired), ("pending", account.pending)]
    return f"{number(account.read)} read = " + " + ".join(f"{number(count)} {name}" for name, count in parts)


def _logs(console: Console, report: StatusReport) -> None:
    if not report.logs:
        return
    small = console.width < SMALL_SCREEN
    expired = any(log.account.expired for log in report.logs)
    table = list_table("source")
    names = ["read", "stored", *(() if small else ("rejected", "ignored")), *(("expired",) if expired else ())]
    for name in (*names, "unread"):
        table.add_column(name, justify="right", no_wrap=True)
    for log in report.logs:
        account = log.account
        unread = Text("gone", style="yellow") if log.unread_bytes is None else Text(f"{number(log.unread_bytes)} B")
        counts = [account.read, account.stored, *(() if small else (account.total_rejected, account.ignored))]
        counts += [account.expired] if expired else []
        table.add_row(word(clean(log.source)), *map(number, counts), unread)
    console.print()
    console.print(table)


# rejected


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
        console.print(Text(f"{_counted(len(entries), 'line')} shown; {advice}", style="dim"))
    elif unlisted <= 0:
        console.print(Text("No line is rejected.", style="green"))
    if unlisted > 0:
        console.print(Text(unlisted_lines(unlisted), style="yellow"))


def unlisted_lines(count: int) -> str:
    """Say of rejected lines that they are counted and in no list, as after a backup was restored without it."""
    are = "is" if count == 1 else "are"
    return (
        f"{_counted(count, 'rejected line')} {are} counted and not in the list here, which was deleted or not restored."
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
            Text(f"{_counted(gone, 'line')} not found: their file is gone, or no longer holds them.", style="yellow")
        )


def _counted(count: int, noun: str) -> str:
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")

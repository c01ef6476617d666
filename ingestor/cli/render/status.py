"""The report of ``status``, for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import SMALL_SCREEN, duration, list_table, number
from ingestor.cli.render.findings import STYLES as SEVERITIES
from ingestor.config.schemes import scheme_of
from ingestor.config.settings import Settings
from ingestor.jobs.status import LogStatus, StatusReport
from ingestor.jobs.store_status import StoreStatus
from ingestor.model.accounting import Account
from ingestor.model.finding import Severity
from ingestor.stores.comparing import said
from ingestor.stores.registry import store_of
from parsers.text import clean

_MEGABYTE = 1 << 20


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
    facts.add_row("findings", _found(report))
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


def _found(report: StatusReport) -> Text:
    """Write how many findings had events in the last day, the worst first."""
    if not any(report.findings.values()):
        return Text("none in the last day")
    said = Text()
    for severity, count in report.findings.items():
        if count:
            said.append(", " if said else "").append(
                f"{number(count)} {severity}", style=SEVERITIES[Severity(severity)]
            )
    return said.append(" in the last day; `tokentail findings` shows them")


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


def _named(log: LogStatus) -> Text:
    """Write a source, and below it whose log it is."""
    return Text.assemble(clean(log.source), (f"\n  {clean(log.provider)}", "dim") if log.provider else "")


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
        counts = [account.read, account.stored, *(() if small else (account.total_rejected, account.ignored))]
        counts += [account.expired] if expired else []
        table.add_row(_named(log), *map(number, counts), _unread(log))
    console.print()
    console.print(table)


def _unread(log: LogStatus) -> Text:
    """Return what waits; of what is no file, only its lag is known."""
    if log.unread_bytes is not None:
        return Text(f"{number(log.unread_bytes)} B")
    return Text("") if scheme_of(log.path) else Text("gone", style="yellow")

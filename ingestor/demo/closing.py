"""The demo's last page: the figures of the day, the proof that they are exact, and what to do next. Pure.

Also what ``tokentail demo --json`` prints.
"""

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from ingestor.demo import chart, view
from ingestor.demo.chart import Glyphs
from ingestor.demo.frame import Frame
from ingestor.demo.proof import Proof
from ingestor.demo.providers import Provider
from ingestor.detectors.registry import runbook_of, title_of
from ingestor.model.finding import Severity, StoredFinding
from ingestor.model.finding_words import SIGNS, about, evidence
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.words import counted

_CHART_ROWS = 8
_ROWS = 6


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demo's files are."""

    logs: tuple[Path, ...]
    """Every generation, oldest first."""
    state: Path
    config: Path | None = None
    """The config whose store was fed."""


def page(
    frame: Frame, proof: Proof, places: Places, provider: Provider, *, zone: ZoneInfo, glyphs: Glyphs
) -> Iterator[Text | Table]:
    """Return the parts of the page, for 80 columns. Texts must not be wrapped: there are commands to copy among them."""
    yield Text()
    yield from chart.bars(frame.buckets, _CHART_ROWS, glyphs)
    yield chart.axis(frame.start_ms, zone)
    yield chart.markers(frame.happenings, frame.start_ms, glyphs)
    yield Text()
    yield _figures(frame)
    yield Text()
    yield _rankings(frame)
    yield Text()
    yield from _proof(frame, proof, provider, zone, glyphs)
    if proof.attack is not None:
        yield Text()
        yield from _found(proof.attack, proof.others, zone, glyphs)
    yield from _limits(provider, proof.ledger.unlogged)
    yield Text()
    yield from _next_steps(places, provider, proof.attack)


def as_json(frame: Frame, proof: Proof, places: Places, provider: Provider) -> dict[str, object]:
    """Return the closing figures for programs."""
    account = proof.account
    return {
        "log": provider.log,
        "exactly_once": proof.holds,
        "differences": list(proof.differences),
        "attack": None if proof.attack is None else proof.attack.as_json(),
        "other_findings": len(proof.others),
        "written": proof.ledger.lines,
        "unlogged": proof.ledger.unlogged,
        "read": account.read,
        "stored": account.stored,
        "rejected": account.total_rejected,
        "ignored": account.ignored,
        "expired": account.expired,
        "pending": account.pending,
        "stats": asdict(frame.stats),
        "logs": [str(path) for path in places.logs],
        "state_directory": str(places.state),
    }


def _figures(frame: Frame) -> Table:
    stats = frame.stats
    lifetime = stats.average_token_lifetime_seconds
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
    cells = [
        (f"{stats.total_issued:,}", "tokens issued", "green"),
        (f"{stats.total_failures:,}", "failed attempts", "red"),
        (f"{stats.unique_users:,}", "users", ""),
        (f"{stats.total_refreshed:,}", "refreshed", "green"),
        (view.percent(stats.failure_rate), "failure rate", "red"),
        (f"{stats.unique_clients:,}", "clients", ""),
        (view.percent(stats.refresh_usage_rate), "refresh usage", "green"),
        (f"{stats.total_rate_limited:,}", "rate limited", "red"),
        ("-" if lifetime is None else f"{lifetime / 60:,.1f} min", "token lifetime", ""),
    ]
    for first in range(0, len(cells), 3):
        row: list[Text] = []
        for value, name, style in cells[first : first + 3]:
            row += [Text(value, style=f"bold {style}"), Text(name, style="dim")]
        table.add_row(*row)
    return table


def _rankings(frame: Frame) -> Table:
    actions, clients = view.rankings(frame, _ROWS)
    both = Table.grid(padding=(0, 2))
    both.add_column(width=38)
    both.add_column(width=36)
    both.add_row(actions, clients)
    return both


def _proof(frame: Frame, proof: Proof, provider: Provider, zone: ZoneInfo, glyphs: Glyphs) -> Iterator[Text]:
    ledger = proof.ledger
    yes, no = ("✔", "✘") if glyphs.unicode else ("ok:", "WRONG:")
    if proof.holds:
        yield Text(f"{yes} Exactly once, from {provider.log}", style="bold green")
    else:
        yield Text(f"{no} The store does not hold what was written", style="bold red")
    account = proof.account
    yield Text(f"  {counted(ledger.lines, 'line')} written: ").append_text(view.identity(account))
    yield Text(f"  expired {account.expired:,}, pending {account.pending:,}", style="dim")
    if proof.holds:
        yield Text(f"  Each of the {ledger.events:,} {provider.keys} is stored once; the counts of all actions agree.")
    for difference in proof.differences:
        yield Text(f"  {difference}", style="red")
    for happening in frame.happenings:
        yield Text("  ").append_text(view.told(happening, zone))


def _found(attack: StoredFinding, others: Sequence[StoredFinding], zone: ZoneInfo, glyphs: Glyphs) -> Iterator[Text]:
    """Yield what the detectors make of the attack, and how much more they found."""
    severity = Severity(attack.severity)
    sign = f"{SIGNS[severity]} " if glyphs.unicode else ""
    head = Text().append(f"{sign}{severity}  ", style="bold red").append(title_of(attack.pattern), style="bold")
    yield head.append(f": {view.shown(about(attack))}")
    first, last = (view.clock(time_ms, zone) for time_ms in (attack.time // MILLISECOND_SLOTS, attack.last_seen))
    yield Text(f"  {first} to {last}, {view.shown(evidence(attack))}")
    if agents := attack.listed("user_agents"):
        yield Text(f"  by {view.shown(agents[0])}")
    yield Text(f"  What to do first: {runbook_of(attack.pattern)}", style="dim")
    above = sum(finding.severity != Severity.LOW for finding in others)
    if others:
        yield Text(
            f"  The day has {counted(len(others), 'other finding')}, {above} of them more than low.", style="dim"
        )


def _limits(provider: Provider, unlogged: int) -> Iterator[Text]:
    if not provider.limits:
        return
    yield Text()
    yield Text(f"What {provider.log} does not say of this day", style="bold")
    if unlogged:
        yield Text(f"  It has no line of {counted(unlogged, 'request')}, {provider.unlogged}.")
    for limit in provider.limits:
        yield Text(f"  {limit}")


def _next_steps(places: Places, provider: Provider, attack: StoredFinding | None) -> Iterator[Text]:
    program, log = _program(), places.logs[-1]
    yield Text("Try it on this very data", style="bold")
    # A variable of the shell keeps the lines short. --state-dir, since $STATE_DIRECTORY gives way to an installed config.
    yield Text().append(f"  demo={shlex.quote(str(log.parent))}", style="cyan")
    if places.config is not None:
        where = f"--config {shlex.quote(str(places.config))}"
    elif places.state == log.parent / "state":
        where = '--state-dir "$demo/state"'
    else:
        where = f"--state-dir {shlex.quote(str(places.state))}"
    of_attack = ("findings", f"activity --finding {attack.id}") if attack else ()
    for command in ("stats", "activity --outcome failure", *of_attack, "top clients", "rejected list", "verify"):
        files = f' "$demo"/{log.name}*' if command == "verify" else ""
        yield Text().append(f"  {program} {command} {where}{files}", style="cyan")
    yield Text()
    yield Text("Then your own log", style="bold")
    yield Text().append(f"  {program} run --log {provider.usual_path}", style="cyan")


def _program() -> str:
    """Return how this very program can be called from the shell that called it."""
    if shutil.which("tokentail"):
        return "tokentail"
    beside = Path(sys.executable).parent / "tokentail"
    try:
        return shlex.quote(str(beside.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(beside))

"""``grafana plan|apply|export|destroy``."""

import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from ingestor.cli.render.console import print_json, stderr, stdout
from ingestor.cli.support.options import PATH, json_option, settings_options
from ingestor.config.credentials import reference
from ingestor.config.settings import GrafanaSettings, Settings
from ingestor.errors import ExitCode
from ingestor.provision import apply as applying
from ingestor.provision import export as exporting
from ingestor.provision.desired import desired, unrouted
from ingestor.provision.plan import Action, Plan, Step
from ingestor.provision.resources import Kind
from ingestor.provision.session import Session, open_grafana
from parsers.text import clean

_STYLES: Final = {Action.CREATE: "bold green", Action.UPDATE: "yellow", Action.DELETE: "red", Action.KEEP: "dim"}
_MOST_DIFFERENCES: Final = 8


@click.group("grafana")
def grafana_group() -> None:
    """Give a Grafana dashboards and alert rules, and keep them so."""


@grafana_group.command(short_help="Show what `apply` would change.")
@json_option
@settings_options
def plan(settings: Settings, as_json: bool) -> None:
    """Show how Grafana differs from what is configured; change nothing.

    Exit code 1 when something differs, or something of somebody else is in the way. Secrets cannot be read back, so whether
    they are still the configured ones is not known; `apply` sends them each time.
    """
    with open_grafana(settings) as session:
        planned = session.plan()
    if as_json:
        print_json(_as_json(session, planned))
    else:
        console = stdout()
        _heading(console, session)
        for step in planned.changes:
            _show(console, step, differences=True)
        for conflict in planned.conflicts:
            console.print(
                Text(
                    f"in the way  {conflict.thing.kind} {clean(conflict.thing.title)}: {clean(conflict.why)}",
                    "bold red",
                )
            )
        _tell_kept(console, planned)
        console.print(Text(_sum(planned)))
        _warn(settings.grafana)
    if not planned.is_empty:
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


@grafana_group.command("apply", short_help="Make folder, data source, dashboards, rules.")
@json_option
@settings_options
def apply_command(settings: Settings, as_json: bool) -> None:
    """Make Grafana as configured: folder, data source, contact points, dashboards and alert rules.

    Safe to repeat; an apply that broke off is finished by the next. What somebody else made is left alone, and the notification
    policies are never written. Exit code 69 when Grafana is out of reach, or cannot reach InfluxDB.
    """
    with open_grafana(settings) as session:
        planned = session.plan()
        console = stdout()
        if not as_json:
            _heading(console, session)
        applying.apply(session.grafana, planned, lambda step: None if as_json else _show(console, step))
        session.check_data_source()
    if as_json:
        print_json(_as_json(session, planned))
        return
    _tell_kept(console, planned)
    console.print(
        Text("Grafana is as configured." if planned.changes else "Nothing to do: Grafana is as configured.", "green")
    )
    for step in planned.steps:
        if step.thing.kind is Kind.DASHBOARD and step.action is not Action.DELETE:
            console.print(Text(f"  {settings.grafana.url}/d/{step.thing.uid}  {step.thing.title}"), soft_wrap=True)
    _warn(settings.grafana)


@grafana_group.command(short_help="Write the files for Grafana's own provisioning.")
@click.argument("directory", type=PATH)
@click.option(
    "--grafana-directory",
    type=PATH,
    default=exporting.PROVISIONING,
    show_default=True,
    help="Where the files will lie on Grafana's machine.",
)
@json_option
@settings_options
def export(settings: Settings, directory: Path, grafana_directory: Path, as_json: bool) -> None:
    """Write into DIRECTORY what Grafana's file provisioning reads, for Grafanas that are set up by files.

    No secret is written: the files name environment variables, which Grafana's process must have; they are listed. Files of
    ours that are there are overwritten, others are left.
    """
    written = exporting.write(desired(settings, reference), directory, grafana_directory)
    if as_json:
        print_json({"files": [str(path) for path in written.files], "variables": written.variables})
        return
    console = stdout()
    for path in written.files:
        console.print(Text(str(path)), soft_wrap=True)
    console.print(Text(f"Put them into {grafana_directory} on Grafana's machine, and restart Grafana."), soft_wrap=True)
    for variable in written.variables:
        console.print(Text(f"Grafana's environment needs the secret {variable}.", "yellow"), soft_wrap=True)
    _warn(settings.grafana)


@grafana_group.command(short_help="Remove what `apply` made, and nothing else.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@settings_options
def destroy(settings: Settings, yes: bool, as_json: bool) -> None:
    """Remove from Grafana what carries our mark: rules, dashboards, contact points, data source, and the folder once it is empty.

    No event is touched: they are in InfluxDB.
    """
    with open_grafana(settings) as session:
        planned = session.removal()
        console = stdout()
        if not as_json:
            _heading(console, session)
        if planned.changes and not yes:
            if as_json or not sys.stdin.isatty():
                raise click.UsageError("Nobody can be asked here: say --yes.")
            for step in planned.changes:
                _show(console, step)
            click.confirm("Remove these?", abort=True)
        applying.apply(
            session.grafana, planned, lambda step: None if as_json else _show(console, step), again="destroy"
        )
        left = applying.remaining(session.grafana)
    if as_json:
        print_json({**_as_json(session, planned), "left": left})
        return
    _tell_kept(console, planned)
    console.print(Text(_left(planned), "yellow" if planned.kept else "green"))
    if left:
        console.print(
            Text(f"The folder stays: others keep things in it ({', '.join(map(clean, left))})."), soft_wrap=True
        )


def _heading(console: Console, session: Session) -> None:
    console.print(Text(f"Grafana {clean(session.version)} at {session.grafana.url}", "dim"), soft_wrap=True)


def _show(console: Console, step: Step, *, differences: bool = False) -> None:
    line = Text()
    line.append(f"{step.action.value:<8}", _STYLES[step.action])
    line.append(f"{step.thing.kind.value:<15}{clean(step.thing.title)}")
    console.print(line, soft_wrap=True)
    if differences:
        for difference in step.differences[:_MOST_DIFFERENCES]:
            change = f"{difference.found or '(nothing)'} -> {difference.wanted or '(nothing)'}"
            console.print(Text(f"          {difference.place}: {change}", "dim"), soft_wrap=True)
        if (more := len(step.differences) - _MOST_DIFFERENCES) > 0:
            console.print(Text(f"          and {more} more", "dim"))


def _left(planned: Plan) -> str:
    if planned.kept:
        return "What is kept is used by others: change that there, then destroy again."
    return "Nothing of ours is left." if planned.changes else "Nothing to do: nothing of ours is there."


def _tell_kept(console: Console, planned: Plan) -> None:
    for kept in planned.kept:
        told = f"kept    {kept.thing.kind.value:<15}{clean(kept.thing.title)}: {clean(kept.why)}"
        console.print(Text(told, "yellow"), soft_wrap=True)


def _sum(planned: Plan) -> str:
    if planned.is_empty:
        return "Nothing to do: Grafana is as configured."
    counts = {action: sum(step.action is action for step in planned.steps) for action in Action}
    told = ", ".join(
        f"{counts[action]} to {action.value}"
        for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        if counts[action]
    )
    if planned.conflicts:
        return f"{told or 'Nothing'}, but what is in the way must be renamed or removed first."
    return f"{told}. `tokentail grafana apply` does it."


def _warn(grafana: GrafanaSettings) -> None:
    severities = unrouted(grafana)
    if severities:
        sections = " and ".join(f"[grafana.{severity}]" for severity in severities)
        told = " and ".join(severities)
        stderr().print(
            Text(
                f"No contact point is configured for alerts of severity {told}: Grafana's own notification policies decide who "
                f"hears of them, by default nobody. See {sections}.",
                "yellow",
            ),
            soft_wrap=True,
        )


def _as_json(session: Session, planned: Plan) -> dict[str, Any]:
    return {
        "url": session.grafana.url,
        "version": session.version,
        "steps": [
            {
                "action": step.action,
                "kind": step.thing.kind,
                "uid": step.thing.uid,
                "title": step.thing.title,
                "differences": [difference._asdict() for difference in step.differences],
            }
            for step in planned.steps
        ],
        "conflicts": [
            {"kind": conflict.thing.kind, "title": conflict.thing.title, "why": conflict.why}
            for conflict in planned.conflicts
        ],
        "kept": [{"kind": kept.thing.kind, "title": kept.thing.title, "why": kept.why} for kept in planned.kept],
        "without_contact_point": unrouted(session.settings.grafana),
    }

"""The command line (design section 9). Its modules parse arguments, call, and print; they decide nothing."""

from importlib import import_module
from typing import Final

import click

import ingestor
from ingestor.assets import asset
from ingestor.cli.support import streams
from ingestor.cli.support.errors import CommandGroup

FAMILIES: Final[dict[str, dict[str, str]]] = {
    "Read logs into the store": {
        "run": "run.run",
        "backfill": "run.backfill",
        "demo": "demo.demo",
    },
    "Ask the store": {
        "stats": "questions.stats",
        "activity": "questions.activity",
        "top": "questions.top",
        "peak": "questions.peak",
        "analytics": "questions.analytics",
        "events": "questions.events",
        "findings": "findings.findings",
        "baseline": "baseline.baseline",
    },
    "Check": {
        "explain": "diagnose.explain",
        "validate": "diagnose.validate",
        "verify": "diagnose.verify",
        "status": "status.status",
        "rejected": "rejected.rejected_group",
    },
    "Configure": {
        "config": "config.config_group",
        "mapping": "mapping.mapping_group",
        "store": "store.store_group",
        "rollup": "rollup.rollup_group",
        "state": "backup.state_group",
    },
    "Show it in Grafana": {"grafana": "grafana.grafana_group"},
    "Run as a service": {"service": "service.service_group"},
}
"""Every command and where it is, in the order and under the headings of `tokentail --help`."""

PLACES: Final = {name: place for family in FAMILIES.values() for name, place in family.items()}
UNLISTED: Final = {"help": "help.help_command"}
"""Commands that the help does not list."""
FIRST_PAGES: Final = ("getting-started.md", "commands.md", "configuration.md", "operate.md", "troubleshooting.md")
"""The pages that `tokentail --help` names."""


class Tokentail(CommandGroup):
    """The root group. It imports the command that is called and no other: all of them take half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of the families."""
        return list(PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        place = PLACES.get(cmd_name) or UNLISTED.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(".")
        command: click.Command = getattr(import_module(f"ingestor.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the families under their headings."""
        for heading, family in FAMILIES.items():
            commands = [(name, self.get_command(ctx, name)) for name in family]
            with formatter.section(heading):
                formatter.write_dl([(name, found.get_short_help_str(limit=66)) for name, found in commands if found])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write where the documentation is: on this machine, for this version. A path is not wrapped."""
        formatter.write(f"\nDocumentation:\n  {asset('docs')}\n")
        with formatter.indentation():
            formatter.write_text(", ".join(FIRST_PAGES))


@click.group(cls=Tokentail, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ingestor.__version__, "--version", prog_name="tokentail")
def cli() -> None:
    """Store the token operations of an audit log exactly once, and answer questions about them.

    \b
    tokentail demo              see it work on simulated traffic
    tokentail run PATH          follow a log for ever
    tokentail stats             what happened in the last 7 days

    Exit codes: 0 done; 1 the answer is bad; 2 wrong usage; 69 a store or a server is out of reach; 77 a permission is
    missing; 78 the configuration is wrong.
    """  # noqa: D301 - \b is click's mark for "do not rewrap"


def main() -> None:
    """Run the command line: the entry point of the distribution."""
    streams.prepare()
    with streams.answering():
        cli(prog_name="tokentail")

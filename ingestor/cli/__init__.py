"""The command line (design section 9). Its modules parse arguments, call, and print; they decide nothing."""

from typing import Final

import click

import ingestor
from ingestor.cli import (
    backup,
    configuration,
    grafana,
    ingest,
    inspect,
    questions,
    rejected,
    rollup,
    service,
    status,
    store,
    streams,
)
from ingestor.cli.failures import CommandGroup

FAMILIES: Final[dict[str, tuple[click.Command, ...]]] = {
    "Read logs into the store": (ingest.run, ingest.backfill, ingest.demo),
    "Ask the store": (
        questions.stats,
        questions.activity,
        questions.top,
        questions.peak,
        questions.analytics,
        questions.events,
    ),
    "Check": (inspect.explain, inspect.validate, inspect.verify, status.status, rejected.rejected_group),
    "Configure": (configuration.config_group, store.store_group, rollup.rollup_group, backup.state_group),
    "Show it in Grafana": (grafana.grafana_group,),
    "Run as a service": (service.service_group,),
}
"""Every command, in the order and under the headings of `tokentail --help`."""


class Tokentail(CommandGroup):
    """The root group."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of the families."""
        return [command.name or "" for family in FAMILIES.values() for command in family]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the families under their headings."""
        for heading, family in FAMILIES.items():
            with formatter.section(heading):
                formatter.write_dl([(command.name or "", command.get_short_help_str(limit=66)) for command in family])


@click.group(cls=Tokentail, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ingestor.__version__, "--version", prog_name="tokentail")
def cli() -> None:
    """Token operations from an audit log: stored exactly once, counted right, ready to be asked about.

    \b
    tokentail demo              see it work on simulated traffic
    tokentail run PATH          follow a log for ever
    tokentail stats             what happened in the last 7 days

    Exit codes: 0 done; 1 the answer is bad; 2 wrong usage; 69 a store or server is out of reach; 77 no permission;
    78 bad configuration.
    """  # noqa: D301 - \b is click's mark for "do not rewrap"


for _family in FAMILIES.values():
    for _command in _family:
        cli.add_command(_command)


def main() -> None:
    """Run the command line: the entry point of the distribution."""
    streams.prepare()
    with streams.answering():
        cli(prog_name="tokentail")

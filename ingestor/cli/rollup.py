"""``rollup rebuild``: the counters, counted anew."""

from typing import Any

import click

from ingestor.cli.render.console import print_json
from ingestor.cli.support.opening import run_or_delegate
from ingestor.cli.support.options import json_option, settings_options
from ingestor.config.settings import Settings
from ingestor.model.words import counted
from ingestor.pipeline.pipeline import Pipeline


@click.group("rollup")
def rollup_group() -> None:
    """Mend the hourly and daily counters."""


@rollup_group.command()
@json_option
@settings_options
def rebuild(settings: Settings, as_json: bool) -> None:
    """Count the hourly and daily counters anew, from the stored events.

    Of InfluxDB the days that it still keeps events of; what is older stays as it was counted. Beside a running daemon, the daemon does it.
    """

    def work(pipeline: Pipeline) -> dict[str, Any]:
        return {"events": pipeline.recount()}

    answer = run_or_delegate(settings, "recount", {}, work, first=False)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"Counted anew: {counted(answer['events'], 'event')}.")

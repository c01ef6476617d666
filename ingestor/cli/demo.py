"""``demo``: the main job on simulated traffic."""

import tempfile
from pathlib import Path

import click

from ingestor.cli.render.console import stdout
from ingestor.cli.support.options import PATH, config_option, json_option, state_directory_option
from ingestor.config.load import load as load_config
from ingestor.demo.providers import PROVIDERS
from ingestor.demo.run import SECONDS, SEED, run_demo
from ingestor.state.opening import directory_of, explained_faults


@click.command()
@click.option(
    "--provider",
    type=click.Choice(list(PROVIDERS)),
    default="native",
    show_default=True,
    help="Whose log the endpoint writes of the same day.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.5, max=3600),
    default=SECONDS,
    show_default=True,
    metavar="N",
    help="Write the simulated day in so many seconds.",
)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Another seed is another day.")
@click.option(
    "--keep",
    "directory",
    type=PATH,
    metavar="DIR",
    help="Write the log into this directory, instead of a new temporary one.",
)
@json_option
@config_option
@state_directory_option
def demo(
    provider: str,
    seconds: float,
    seed: int,
    directory: Path | None,
    as_json: bool,
    config_file: Path | None,
    state_directory: Path | None,
) -> None:
    """See the main job done on simulated traffic, in about 20 seconds.

    A simulated token endpoint writes a real, rotating log with an attack in it; the daemon follows it; a live view shows it; at the
    end the store is compared with what was written. It uses a directory of its own; --config or --state-dir feed another store.
    Exit code 1 when the store does not hold exactly what was written.
    """
    settings = None
    if config_file is not None or state_directory is not None:
        settings = load_config(config_file, state_directory=state_directory).settings
    place = directory_of(settings) if settings else directory or Path(tempfile.gettempdir())
    with explained_faults(place):
        code = run_demo(
            settings,
            console=stdout(),
            provider=PROVIDERS[provider],
            seconds=seconds,
            seed=seed,
            as_json=as_json,
            directory=directory,
        )
    raise click.exceptions.Exit(code)

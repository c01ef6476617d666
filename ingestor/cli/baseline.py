"""``baseline``: how far stored events are from the thresholds of the detectors, and which thresholds would fit."""

from dataclasses import replace
from typing import Final

import click

from ingestor.cli.questions import explain_nothing
from ingestor.cli.render import answers as render
from ingestor.cli.render import baseline as render_baseline
from ingestor.cli.render.console import print_json, stderr, stdout
from ingestor.cli.support import opening
from ingestor.cli.support.options import Question, question_of_all_users
from ingestor.detectors.registry import detectors
from ingestor.jobs.baseline.answer import Asked, Baseline, answer_of, to_json
from ingestor.jobs.baseline.halves import measured
from ingestor.model.finding import Severity
from ingestor.model.moments import written
from ingestor.model.questions import Answers, Filters
from parsers.near_miss import did_you_mean

_SINCE: Final = "90d"
_NO_FILTERS: Final = Filters()


@click.command(short_help="Propose thresholds that fit the stored events.")
@click.option("--pattern", metavar="NAME", help="Only this detector, such as secret_guessing.")
@click.option(
    "--harmless",
    multiple=True,
    metavar="ID",
    help="This finding was harmless, or all up to this severity: be quiet about it. May be repeated.",
)
@click.option("--toml", "as_toml", is_flag=True, help="Print only what is proposed, for the config file.")
@question_of_all_users(_SINCE)
def baseline(question: Question, as_json: bool, pattern: str | None, harmless: tuple[str, ...], as_toml: bool) -> None:
    """Propose thresholds that fit the stored events.

    The detectors look at the events of the period as if they were new. Shown is how far these are from the thresholds, what
    is found with those of today, and which would fit. Nothing is changed. docs/baseline.md says how the proposal is made.
    """
    if as_json and as_toml:
        raise click.UsageError("--json and --toml exclude each other.")
    names = [_known(pattern)] if pattern else list(detectors())
    asked = Asked(question.filters.client, question.filters.realm, harmless)
    with opening.answers(question.settings) as store:
        answer = _ask(store, question, asked, names)
        _check_harmless(harmless, answer)
        if as_json:
            period = {"since": written(question.period.since), "until": written(question.period.until)}
            print_json({"period": period, **to_json(answer)})
            return
        if not as_toml:
            console = stdout()
            render.heading(console, "Baseline", question, only=[f"pattern {pattern}"] if pattern else [])
            if not answer.measured.events:
                explain_nothing(store, replace(question, filters=_NO_FILTERS))
                return
            render_baseline.baseline(console, answer, question.settings.time_zone)
            return
    for remark in render_baseline.remarks(answer):
        stderr().print(remark, soft_wrap=True)
    click.echo(answer.toml, nl=False)


def _ask(store: Answers, question: Question, asked: Asked, names: list[str]) -> Baseline:
    events = sum(store.stats(question.period, _NO_FILTERS).by_action.values())
    with opening.progress_bar("event") as bar:

        def show(seen: int) -> None:
            bar("events", min(1.0, seen / max(1, events)), seen)

        found = measured(opening.answers, question.settings, question.period, names, events, show)
    return answer_of(found, question.settings.detectors, asked, names)


def _known(pattern: str) -> str:
    """Return the name of a detector. Raises click.BadParameter."""
    if pattern in detectors():
        return pattern
    hint = did_you_mean(pattern, list(detectors())) or "; they are " + ", ".join(detectors())
    raise click.BadParameter(f"{pattern!r} is no detector{hint}", param_hint="'--pattern'")


def _check_harmless(harmless: tuple[str, ...], answer: Baseline) -> None:
    """Raise click.BadParameter for what is neither a finding of the period nor a severity."""
    known = {found.id for found in answer.measured.found.values()} | {severity.value for severity in Severity}
    if unknown := next((each for each in harmless if each not in known), None):
        raise click.BadParameter(
            f"{unknown!r} is neither a severity nor a finding of this period; --json lists their ids",
            param_hint="'--harmless'",
        )

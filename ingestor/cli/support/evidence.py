"""``--finding ID``: a question about the events that a finding is made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from ingestor.cli.support.opening import reading
from ingestor.cli.support.options import Question, is_given
from ingestor.jobs.evidence import Evidence
from ingestor.state.findings import findings_of_id

Command = TypeVar("Command", bound=Callable[..., Any])


def finding_option(command: Command) -> Command:
    """Add --finding; the command gets ``finding_id``, for ``evidence_of``."""
    option = click.option(
        "--finding",
        "finding_id",
        metavar="ID",
        help="Only the events of this finding, as `tokentail findings` names it; the period is its own.",
    )
    return option(command)


def evidence_of(finding_id: str | None, question: Question) -> tuple[Evidence | None, Question]:
    """Return what is asked for with --finding, None without it, and the question that the store is asked.

    Raises click.UsageError, click.BadParameter, and what opening the state raises.
    """
    if finding_id is None:
        return None, question
    if is_given("since") or is_given("until"):
        raise click.UsageError("--finding has its own period; leave --since and --until out.")
    with reading(question.settings) as state:
        found = findings_of_id(state.connection, finding_id)
    if not found:
        raise click.BadParameter(
            f"{finding_id!r} is no finding; `tokentail findings --since all` lists them", param_hint="'--finding'"
        )
    evidence = Evidence(found[0])
    return evidence, replace(question, period=evidence.period, filters=evidence.narrowed(question.filters))

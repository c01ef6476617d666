"""Whether the Grafana is there, lets us in, reaches InfluxDB, and shows what is configured."""

from collections.abc import Iterator
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import TokentailError
from ingestor.model.check_result import CheckResult, Level, failed, wrong
from ingestor.model.transport import is_unencrypted
from ingestor.provision.desired import unrouted
from ingestor.provision.plan import Plan
from ingestor.provision.resources import Kind
from ingestor.provision.session import Session, open_grafana, unreachable_influxdb

LAST_WEEK_DAYS: Final = 8
"""169 hours, in whole days."""
LAG_WINDOW_MINUTES: Final = 5
"""How far back the rules on lag and budgets look (``grafana/alerts/pipeline.yaml``)."""


def check_grafana(settings: Settings) -> Iterator[CheckResult]:
    """Yield what is found of the Grafana and of what `tokentail grafana apply` makes there. Nothing is changed."""
    url = settings.grafana.url
    if is_unencrypted(url):
        advice = "Switch TLS on at Grafana, and write https:// in grafana.url."
        yield CheckResult(Level.WARNING, "The token for Grafana goes through the network unencrypted", url, advice)
    yield from _blind(settings)
    for severity in unrouted(settings.grafana):
        yield CheckResult(
            Level.WARNING,
            f"No contact point is configured for alerts of severity {severity}",
            f"grafana.{severity}",
            "Grafana's own notification policies decide who hears of them, by default nobody.",
        )
    try:
        with open_grafana(settings) as session:
            yield CheckResult(Level.OK, f"Grafana {session.version} answers", url)
            yield from _contents(session, session.plan(), url)
    except TokentailError as error:
        yield failed(error)


def _contents(session: Session, plan: Plan, url: str) -> Iterator[CheckResult]:
    for conflict in plan.conflicts:
        yield wrong(
            f"The {conflict.thing.kind} {conflict.thing.title!r} is in the way", url, f"It is not ours: {conflict.why}."
        )
    if plan.changes:
        count = "1 thing" if len(plan.changes) == 1 else f"{len(plan.changes)} things"
        advice = "`tokentail grafana plan` shows what, `tokentail grafana apply` makes it so."
        yield CheckResult(Level.WARNING, f"{count} in Grafana differ from what is configured", url, advice)
    elif not plan.conflicts:
        yield CheckResult(Level.OK, "Grafana is as configured", url)
    if any(step.thing.kind is Kind.DATA_SOURCE and step.exists for step in plan.steps):
        problem = unreachable_influxdb(session.grafana, session.settings)
        yield failed(problem) if problem else CheckResult(Level.OK, "Grafana can ask InfluxDB", url)


def _blind(settings: Settings) -> Iterator[CheckResult]:
    """Yield what makes alert rules see nothing, or fire without a cause."""
    retention, interval = settings.retention, settings.telemetry.interval_seconds
    if retention.raw_days < LAST_WEEK_DAYS:
        what = f"Events are kept for {retention.raw_days} days: rules that compare with last week never fire"
        yield CheckResult(Level.WARNING, what, "retention.raw_days", f"Keep them for {LAST_WEEK_DAYS} days or longer.")
    shortest = min(settings.alerts.silent_minutes, LAG_WINDOW_MINUTES) * 60
    if interval * 3 > shortest:
        what = f"The daemon writes its figures every {interval:g} s: rules that look at the last {shortest // 60} minutes miss them"
        advice = f"Set it to {shortest // 3} or less, or alerts.silent_minutes to more."
        yield CheckResult(Level.WARNING, what, "telemetry.interval_seconds", advice)

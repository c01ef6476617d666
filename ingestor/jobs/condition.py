"""Is all well, in the words and the numbers of Nagios' plugins: what `tokentail status --check` says. Pure."""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from ingestor.format_check.misfit import Misfit
from ingestor.model.accounting import Account
from ingestor.model.words import counted

DAY_SECONDS: Final = 86_400.0
"""A gap is told for so long: what is lost is not mended by looking at it for ever."""
CRITICAL_LAG: Final = 4
"""The lag that alerts (``alerts.lag_seconds``) is a warning; so many times that is critical."""


class Condition(IntEnum):
    """Exit codes of a plugin (Monitoring Plugins Development Guidelines)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Seen(NamedTuple):
    """What there is to judge. Ages are in seconds."""

    running: bool
    checkpoint_age: float | None
    lag: float
    unread_bytes: int
    problems: Sequence[str]
    gap_ages: Sequence[float]
    set_aside: str
    """Where a damaged state is kept; empty when there is none, or somebody has dealt with it."""
    misfits: Sequence[Misfit]
    store_lacks: str
    """What the store does not hold although it was acknowledged; empty when it holds all."""
    store_exceeds: str
    """What it holds that nobody has counted; empty when there is nothing."""
    total: Account


class Judgement(NamedTuple):
    """How it is, and why."""

    condition: Condition
    reasons: tuple[str, ...]
    """The worst first; none when all is well."""


def judge(seen: Seen, *, lag_limit: float) -> Judgement:
    """Judge. ``lag_limit``: seconds that alert."""
    found = sorted(_reasons(seen, lag_limit), key=lambda reason: -reason[0])
    worst = max((condition for condition, _ in found), default=Condition.OK)
    return Judgement(worst, tuple(text for _, text in found))


def plugin_line(judgement: Judgement, seen: Seen, *, lag_limit: float) -> str:
    """Return the one line that a plugin prints, with its performance data."""
    total = seen.total
    said = "; ".join(judgement.reasons) or f"{counted(total.read, 'line')} read, {total.stored:,} stored"
    figures = {
        "read": f"{total.read}c",
        "stored": f"{total.stored}c",
        "rejected": f"{total.total_rejected}c",
        "ignored": f"{total.ignored}c",
        "pending": f"{total.pending}",
        "lag": f"{seen.lag:.0f}s;{lag_limit:.0f};{lag_limit * CRITICAL_LAG:.0f}",
        "unread": f"{seen.unread_bytes}B",
        "gaps": f"{len(seen.gap_ages)}",
    }
    performance = " ".join(f"{name}={value}" for name, value in figures.items())
    return f"TOKENTAIL {judgement.condition.name} - {said.replace('|', '/')} | {performance}"


def _reasons(seen: Seen, lag_limit: float) -> Iterator[tuple[Condition, str]]:
    fresh = seen.checkpoint_age is not None and seen.checkpoint_age <= lag_limit
    if not seen.running and not fresh:
        since = "ever" if seen.checkpoint_age is None else f"for {seen.checkpoint_age:,.0f} s"
        yield Condition.CRITICAL, f"no daemon is running, and nothing was read {since}"
    for problem in seen.problems:
        yield Condition.CRITICAL, problem
    if seen.lag > lag_limit:
        condition = Condition.CRITICAL if seen.lag > lag_limit * CRITICAL_LAG else Condition.WARNING
        yield condition, f"it lags {seen.lag:,.0f} s behind"
    if recent := sum(age < DAY_SECONDS for age in seen.gap_ages):
        yield Condition.CRITICAL, f"{recent} gap{'s' if recent > 1 else ''} in the last day: lines are lost"
    yield from _not_understood(seen.misfits)
    if seen.store_lacks:
        yield Condition.CRITICAL, f"{seen.store_lacks}: `tokentail backfill` brings it back"
    if seen.store_exceeds:
        yield Condition.WARNING, f"{seen.store_exceeds}: `tokentail rollup rebuild` counts it"
    if seen.set_aside:
        yield Condition.WARNING, f"a damaged state was set aside as {seen.set_aside}: remove it once it is dealt with"


def _not_understood(misfits: Sequence[Misfit]) -> Iterator[tuple[Condition, str]]:
    for misfit in misfits:
        if misfit.understanding.wrong:
            yield Condition.CRITICAL, f"{misfit.path} is not understood: {misfit.understanding.told()}"
        elif misfit.understanding.spoilt:
            yield Condition.WARNING, f"{misfit.path} is understood in part: {misfit.understanding.told()}"

"""Look at some lines of a log with its parser: what `tokentail validate` judges, and what tells why a log is not understood."""

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ExitCode
from ingestor.format_check.misfit import Sample, as_of_now, misfit, outcomes_of
from ingestor.format_check.outcomes import failures_alone
from ingestor.format_check.understanding import NOTHING_KNOWN, Understanding
from ingestor.model.check_result import CheckResult, Level
from ingestor.model.log_file import LogFile
from ingestor.model.unended import may_become_object
from ingestor.pipeline.classifier import new_parser
from parsers.contract import Adviser, NoEvent, Outcome, Parser, Rejection
from parsers.envelopes.records import whole
from parsers.formats.encodings import LOOK_BYTES

NEWEST_LINES: Final = 2000
_NAMING_EVENTS: Final = 20
"""So many of the newest events say whose log it is."""
_MOST_BYTES: Final = 4 << 20
_FIRST_BYTES: Final = 65_536
"""Of a compressed file, which can be read forwards only."""


class Judged(NamedTuple):
    """What the newest lines of a log say."""

    written_by: str
    """The provider of the newest events, with the envelope around its lines; empty when there is none."""
    odd: tuple[CheckResult, ...] = ()
    """What does not look as it should."""


def judge_newest(file: LogFile, entry: LogSettings, settings: Settings, known: Understanding = NOTHING_KNOWN) -> Judged:
    """Judge the newest lines of a log. Raises OSError, ConfigError.

    ``known``: what became of all its lines, as far as a state knows.
    """
    parser = new_parser(entry.parser, settings)
    now_ms = time.time_ns() // 1_000_000
    sample = sample_of(file)
    outcomes = outcomes_of(sample, parser, now_ms)
    events = [line for line, outcome in outcomes if not isinstance(outcome, NoEvent | Rejection)][-_NAMING_EVENTS:]
    return Judged(parser.named_most(events, now_ms), tuple(_oddities(file, sample, outcomes, known, parser, now_ms)))


def _oddities(
    file: LogFile,
    sample: Sample,
    outcomes: list[tuple[bytes, Outcome]],
    known: Understanding,
    parser: Parser,
    now_ms: int,
) -> Iterator[CheckResult]:
    understanding = as_of_now(outcomes, known, has_newest=sample.has_newest)
    if understanding.doubtful:
        found = misfit(file.path, understanding, sample, parser, now_ms)
        looks_like = f": it looks like {found.looks_like}" if found.looks_like else ""
        what = understanding.told("" if understanding is known else "newest") + looks_like
        reason = f"Most often: {found.reason}. " if found.reason else ""
        example = f"\nSuch as: {found.example}" if found.example else ""
        level, code = (Level.ERROR, ExitCode.BAD_ANSWER) if understanding.wrong else (Level.WARNING, ExitCode.DONE)
        yield CheckResult(level, what, file.path, f"{reason}{found.advice}{example}", code)
    elif failures := failures_alone(outcome for _, outcome in outcomes):
        yield CheckResult(
            Level.WARNING,
            f"All {failures:,} results in its newest lines are failures, none is a success",
            file.path,
            "Does the provider log successes, too? Without them rates are 100 %.",
        )
    if isinstance(parser, Adviser):
        for text in parser.advice(outcomes):
            yield CheckResult(Level.WARNING, text, file.path, "The page of the provider in docs/ says more.")


def sample_of(file: LogFile, *, most_bytes: int = _MOST_BYTES) -> Sample:
    """Return the newest whole lines of a plain file, the first of a compressed one. Raises OSError, DamagedFileError.

    Where no line has ended yet, what there is counts as one, unless it may still become a native line.
    """
    head = file.read_at(0, LOOK_BYTES)
    if file.compressed:
        data = file.read_at(0, _FIRST_BYTES)
        return Sample(data[: whole(data)] or data, head, has_newest=len(data) < _FIRST_BYTES)
    return Sample(newest_lines(file, most_bytes) or _unfinished(head), head)


def newest_lines(file: LogFile, most_bytes: int = _MOST_BYTES) -> bytes:
    r"""Return the last whole lines of a plain file: at most ``NEWEST_LINES`` of them, and ``most_bytes``. Raises OSError.

    A record of several lines that has no end yet is left out.
    """
    if file.compressed:
        return b""
    start = max(0, file.stat().size - most_bytes)
    lines = file.read_at(start, most_bytes).split(b"\n")[:-1]
    if start:
        del lines[:1]  # it may have begun before
    data = b"\n".join(lines[-NEWEST_LINES:]) + b"\n"
    return data[: whole(data)].removesuffix(b"\n")


def _unfinished(head: bytes) -> bytes:
    line, ended, _ = head.partition(b"\n")
    if ended or not may_become_object(line):
        return line
    if len(head) == LOOK_BYTES and b'"created_at"' not in head:  # longer than a native line usually is
        return line
    return b""

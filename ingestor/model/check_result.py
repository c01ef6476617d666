"""What `tokentail validate` says of each thing that it looked at."""

from enum import StrEnum
from typing import Final, NamedTuple

from ingestor.errors import ExitCode, TokentailError


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class CheckResult(NamedTuple):
    """One thing that was looked at."""

    level: Level
    what: str
    where: str = ""
    advice: str = ""
    exit_code: ExitCode = ExitCode.DONE
    """What the process should end with because of it; DONE for all but errors."""


def wrong(what: str, where: str, advice: str, code: ExitCode = ExitCode.BAD_ANSWER) -> CheckResult:
    """Return an error."""
    return CheckResult(Level.ERROR, what, where, advice, code)


def failed(error: TokentailError) -> CheckResult:
    """Return what an exception says as an error."""
    return wrong(error.what, error.where, error.advice, error.exit_code)


_ORDER: Final = (ExitCode.BAD_CONFIG, ExitCode.NO_PERMISSION, ExitCode.BAD_ANSWER, ExitCode.UNAVAILABLE)


def worst(findings: list[CheckResult]) -> ExitCode:
    """Return the exit code of a run: configuration, then permission, then anything else that somebody must mend.

    A server out of reach comes last: "try again" is good advice only when nothing else is wrong.
    """
    codes = {finding.exit_code for finding in findings if finding.level is Level.ERROR}
    return next((code for code in _ORDER if code in codes), ExitCode.BAD_ANSWER if codes else ExitCode.DONE)

"""What `tokentail validate` can tell of a log that is a pipe, without taking a byte out of it."""

import os

from ingestor.config.settings import STDIN
from ingestor.errors import ExitCode
from ingestor.model.check_result import CheckResult, Level, wrong


def check_pipe(path: str) -> CheckResult:
    """Return whether a pipe can be read."""
    if path == STDIN:
        return CheckResult(Level.OK, "Standard input is followed to its end; what comes is seen when it comes", path)
    if not os.access(path, os.R_OK):
        return wrong(
            "The FIFO cannot be read by this user",
            path,
            "Give the daemon's user read permission for it.",
            ExitCode.NO_PERMISSION,
        )
    return CheckResult(Level.OK, "The FIFO can be read; what it brings is seen when it comes", path)

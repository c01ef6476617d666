"""Look at the newest lines of a log with its parser, for `tokentail validate`."""

import time
from collections.abc import Iterator
from typing import Final

import parsers
from ingestor.core.outcomes import failures_alone
from ingestor.settings import LogSettings, Settings
from ingestor.shell.files import LogFile
from ingestor.shell.findings import Finding, Level

NEWEST_LINES: Final = 2000
_MOST_BYTES: Final = 4 << 20


def judge_newest(file: LogFile, entry: LogSettings, settings: Settings) -> Iterator[Finding]:
    """Yield what is odd about the newest lines; nothing when they look as they should. Raises OSError."""
    parser = parsers.find(entry.parser, **settings.parser_options)
    outcomes = parser.parse(newest_lines(file), time.time_ns() // 1_000_000)
    if failures := failures_alone(outcomes):
        yield Finding(
            Level.WARNING,
            f"All {failures:,} results in its newest lines are failures, none is a success",
            file.path,
            "Does the provider log successes, too? Keycloak does so at level debug, which is not written, until the "
            "success-level of its event listener jboss-logging is info. Without them rates are 100 %.",
        )


def newest_lines(file: LogFile) -> bytes:
    r"""Return the last whole lines of a plain file: at most ``NEWEST_LINES`` of them, and 4 MiB. Raises OSError."""
    if file.compressed:
        return b""
    start = max(0, file.look().size - _MOST_BYTES)
    lines = file.read_at(start, _MOST_BYTES).split(b"\n")[:-1]
    if start:
        del lines[:1]  # it may have begun before
    return b"\n".join(lines[-NEWEST_LINES:])

"""What the daemon says while it runs: short lines on a terminal, levels that journald understands under systemd."""

import logging
import os
import sys

from ingestor.errors import one_line
from parsers.text import clean

_SYSLOG_LEVELS = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _OneLine(logging.Formatter):
    """Paths and names in a message can hold anything: it stays one line and moves no cursor."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(one_line(super().format(record)))


class _Journal(_OneLine):
    """A line for journald, which has the time itself (sd-daemon(3): ``<level>text``)."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{_SYSLOG_LEVELS.get(record.levelno, 6)}>{super().format(record)}"


def configure_logging() -> None:
    """Send the messages of tokentail to stderr."""
    handler = logging.StreamHandler()
    if sys.stderr.isatty():
        handler.setFormatter(_OneLine("%(asctime)s  %(message)s", "%H:%M:%S"))
    elif os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(_Journal("%(message)s"))
    else:
        handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger("tokentail")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False

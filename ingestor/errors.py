"""Errors that a person reads, and the exit codes of the process (design section 9)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Documented in docs/troubleshooting.md. 69, 77 and 78 are those of sysexits(3), above 128 a shell's for signals."""

    DONE = 0
    BAD_ANSWER = 1
    USAGE = 2
    UNAVAILABLE = 69
    NO_PERMISSION = 77
    BAD_CONFIG = 78
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


def one_line(text: str) -> str:
    """Join the lines of a message, for where it must be one: a log, a status."""
    return " ".join(filter(None, (line.strip() for line in text.split("\n"))))


class TokentailError(Exception):
    """Something a person can mend: what happened, where, and what to do next."""

    exit_code = ExitCode.BAD_ANSWER

    def __init__(self, what: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        advice = f"\n  {self.advice}" if self.advice else ""
        return f"{self.what}{where}{advice}"


class ConfigError(TokentailError):
    """The configuration cannot be used."""

    exit_code = ExitCode.BAD_CONFIG


class PermissionDeniedError(TokentailError):
    """The operating system said no."""

    exit_code = ExitCode.NO_PERMISSION


class UnavailableError(TokentailError):
    """A store, server or disk that may come back."""

    exit_code = ExitCode.UNAVAILABLE


class ContestedError(UnavailableError):
    """Another state writes the same into a store: the configuration of one of them is wrong."""

    exit_code = ExitCode.BAD_CONFIG


class StateLockedError(TokentailError):
    """Another process holds the state."""


class DamagedStateError(TokentailError):
    """The state database cannot be read."""


class OutputError(TokentailError):
    """Standard output cannot be written."""


class ReaderGoneError(OutputError):
    """Whoever read standard output has closed it. Not a fault, and nothing is said of it."""

    exit_code = ExitCode.READER_GONE

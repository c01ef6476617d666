"""The files that a person names."""

import glob
from collections.abc import Sequence
from pathlib import Path

from ingestor.errors import TokentailError
from ingestor.sources.file.discovery import is_pattern


def named_files(paths: Sequence[str]) -> list[str]:
    """Return absolute paths; a pattern that the shell did not expand becomes what matches it.

    Raises TokentailError when nothing does: a command that was given nothing to do has not done it well; and for standard
    input, which is read once.
    """
    found: list[str] = []
    for path in paths:
        if path == "-":
            raise TokentailError(
                "Standard input can be read once, by `tokentail run -`; this takes files",
                where="-",
                advice="Write it to a file and name that. A file that is called - is ./-",
            )
        absolute = str(Path(path).absolute())
        if not is_pattern(path):
            found.append(absolute)
            continue
        matching = sorted(glob.glob(absolute))  # noqa: PTH207 - patterns are absolute
        if not matching:
            raise TokentailError("No file matches", where=path, advice="Check the path.")
        found += matching
    return found

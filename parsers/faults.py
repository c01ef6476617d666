"""What may be told of an exception. Its text is left out: it may quote a line of a log, hence a secret."""

import traceback
from pathlib import PurePath
from typing import Final

_NAME_CHARS: Final = 64


def kind_and_place(error: BaseException) -> str:
    """Return the type of an exception and where it was raised: ``ValueError at acme/reader.py:41``."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return _kind(error)
    return f"{_kind(error)} at {'/'.join(PurePath(frames[-1].filename).parts[-2:])}:{frames[-1].lineno}"


def _kind(error: BaseException) -> str:
    name = type(error).__name__
    return name if name.isascii() and name.isidentifier() and len(name) <= _NAME_CHARS else "an exception"

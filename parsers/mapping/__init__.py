"""Parsers without Python: a TOML file says which lines of a log are token events, and where their values stand.

``read_mapping`` reads such a file strictly, ``MappingParser`` is what it makes. Some ship, in ``providers/NAME.toml``.
docs/mapping.md is the way to write one.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from parsers.mapping.definition import Definition
from parsers.mapping.parser import MappingParser
from parsers.mapping.problems import MappingError, Problem
from parsers.mapping.reading import MAPPING_BYTES, read_mapping

__all__ = [
    "MAPPING_BYTES",
    "PREFIX",
    "MappingError",
    "MappingParser",
    "Problem",
    "file_of",
    "make",
    "read_mapping",
    "shipped",
    "shipped_text",
]

PREFIX: Final = "mapping:"
"""Before the name of a shipped mapping, or the path of another one, in the name of a parser."""
_SHIPPED: Final = Path(__file__).with_name("providers")
_SUFFIX: Final = ".toml"


@cache
def shipped() -> tuple[str, ...]:
    """Return the names of the mappings that ship."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob(f"*{_SUFFIX}")))


def shipped_text(name: str) -> str:
    """Return the file of a mapping that ships. Raises LookupError."""
    if name not in shipped():
        raise LookupError(f"no mapping named {name!r} ships: there are {', '.join(shipped())}")
    return (_SHIPPED / f"{name}{_SUFFIX}").read_text("utf-8")


def file_of(parser: str) -> str:
    """Return the path of the mapping file that the name of a parser names; empty for any other parser."""
    name = parser.removeprefix(PREFIX)
    return name if name != parser and ("/" in name or name.endswith(_SUFFIX)) else ""


def make(parser: str, text: str | None = None, **options: Any) -> MappingParser:
    """Return a new parser. ``text``: of the file that ``parser`` names, unless it is one that ships.

    Raises LookupError for a name that is not known, MappingError, and ValueError for a bad option.
    """
    file = file_of(parser)
    if file and text is None:
        raise LookupError(f"the mapping {file} was not read")
    name = Path(file).stem if file else parser.removeprefix(PREFIX)
    definition = _shipped_definition(name) if text is None else read_mapping(text)
    return MappingParser(definition, f"{PREFIX}{name}", **options)


@cache
def _shipped_definition(name: str) -> Definition:
    return read_mapping(shipped_text(name))

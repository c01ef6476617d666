"""Parsers without Python: a TOML file says which lines of a log are token events, and where their values stand.

``read_mapping`` reads such a file strictly, ``make`` makes a parser of it. Some ship, in ``providers/NAME.toml``.
docs/mapping.md is the way to write one. What reads and makes is imported when it is called: most commands have no mapping.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from parsers.mapping.problems import MappingError, Problem

if TYPE_CHECKING:
    from parsers.mapping.definition import Definition
    from parsers.mapping.parser import MappingParser

__all__ = [
    "MAPPING_BYTES",
    "PREFIX",
    "MappingError",
    "Problem",
    "file_of",
    "make",
    "read_mapping",
    "shipped",
    "shipped_text",
]

MAPPING_BYTES: Final = 1 << 20
"""A file with more is no mapping."""
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


def read_mapping(text: str) -> "Definition":
    """Return the mapping that a file says. Raises MappingError."""
    from parsers.mapping import reading  # noqa: PLC0415 - see above

    return reading.read_mapping(text)


def make(parser: str, text: str | None = None, **options: Any) -> "MappingParser":
    """Return a new parser. ``text``: of the file that ``parser`` names, unless it is one that ships.

    Options that are none of a mapping's do nothing. Raises LookupError for a name that is not known, MappingError, and
    ValueError for a bad option.
    """
    from parsers.mapping.parser import MappingParser  # noqa: PLC0415 - see above

    file = file_of(parser)
    if file and text is None:
        raise LookupError(f"the mapping {file} was not read")
    name = Path(file).stem if file else parser.removeprefix(PREFIX)
    definition = _shipped_definition(name) if text is None else read_mapping(text)
    known = {option: value for option, value in options.items() if option in MappingParser.options}
    return MappingParser(definition, f"{PREFIX}{name}", **known)


@cache
def _shipped_definition(name: str) -> "Definition":
    from parsers.mapping import reading  # noqa: PLC0415 - see above

    return reading.read_mapping(shipped_text(name), reach=False)  # of ours a test holds that each rule is reached

"""Other people's parsers: classes under the entry point group ``tokentail.parsers`` of packages that are installed.

Nothing that such a package does wrong harms another parser, or a command that does not need it.
"""

import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from parsers.contract import Parser
from parsers.faults import kind_and_place

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS: Final = "tokentail.parsers"


class UnusableParserError(LookupError):
    """A parser that is installed and cannot be used. The text says which package brings it, and the kind of fault."""


def installed() -> Mapping[str, Sequence["EntryPoint"]]:
    """Return the entry points by the name of their parser: one each, unless packages quarrel over a name.

    To ask all packages takes some 10 ms, so they are asked again only when a folder of packages has changed.
    """
    return _installed(tuple((folder, _changed_ns(folder)) for folder in sys.path))


@functools.lru_cache(maxsize=1)
def _installed(_folders: tuple[tuple[str, int], ...]) -> Mapping[str, Sequence["EntryPoint"]]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - a tenth of the start of a command that reads no line

    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        found.setdefault(entry.name, []).append(entry)
    return found


def _changed_ns(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def make(entries: Sequence["EntryPoint"], options: Mapping[str, Any]) -> Parser:
    """Return a new parser with those of the options that it takes. Raises UnusableParserError."""
    entry, *others = entries
    if others:
        raise UnusableParserError(
            f"The parser {entry.name!r} cannot be used: several packages bring one of that name: "
            f"{', '.join(sorted(map(origin, entries)))}"
        )
    try:
        return made(entry.load(), options)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - other people's code may raise anything
        missing = f" ({error.name})" if isinstance(error, ImportError) and error.name else ""
        raise UnusableParserError(
            f"The parser {entry.name!r} cannot be used: {origin(entry)}: {kind_and_place(error)}{missing}"
        ) from None


def made(kind: Any, options: Mapping[str, Any]) -> Parser:
    """Return a new parser of a class. Raises what the class raises, and TypeError for what is no parser."""
    parser: Any = kind(**{option: value for option, value in options.items() if option in kind.options})
    is_parser = (
        callable(parser.parse)
        and callable(parser.redact)
        and isinstance(parser.version, str)
        and isinstance(parser.counts, Mapping)
        and all(isinstance(option, str) for option in parser.options)
    )
    if not is_parser:
        raise TypeError(kind)
    checked: Parser = parser
    return checked


def origin(entry: "EntryPoint") -> str:
    """Return which package an entry point comes from, and what stands there."""
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
    return f"{package}, entry point {entry.name} = {entry.value}"

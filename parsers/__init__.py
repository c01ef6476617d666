"""Turn lines of identity providers' audit logs into token events. Imports nothing from ``ingestor``.

A provider is a folder here with ``PARSER`` in it: a ``parsers.contract.Parser`` class that states its ``version`` and is called
with those of these keyword options that it names in ``options``: ``errors`` (an endpoint's own error texts, see
``parsers.vocabulary``), ``trusted_proxies`` (networks) and ``public_identifiers`` (see ``parsers.redaction.identifiers``). Other
people's come by the entry point group ``tokentail.parsers``, whose values are such classes; they cannot replace ours.
"""

import pkgutil
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from parsers.contract import Parser
from parsers.detection import DetectingParser

AUTO: Final = "auto"
"""Detect the provider line by line."""
ENTRY_POINTS: Final = "tokentail.parsers"
_FIRST: Final = "native"
_NO_PROVIDERS: Final = {"formats", "redaction"}
"""The folders here that are something else."""


def names() -> list[str]:
    """Return the known providers, in the order in which detection asks them: native, ours, then other people's."""
    ours = _ours()
    return sorted(ours, key=lambda name: (name != _FIRST, name)) + sorted(_theirs().keys() - ours)


def find(name: str = AUTO, **options: Any) -> Parser:
    """Return a new parser with these options. Raises LookupError for an unknown name, ValueError for a bad option."""
    known = names()
    if name == AUTO:
        found = [_made(each, options) for each in known]
        return found[0] if len(found) == 1 else DetectingParser(found)
    if name not in known:
        raise LookupError(f"no parser named {name!r}: there are {', '.join([AUTO, *known])}")
    return _made(name, options)


def _ours() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if module.ispkg} - _NO_PROVIDERS


def _theirs() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def _made(name: str, options: dict[str, Any]) -> Parser:
    kind = import_module(f"{__name__}.{name}").PARSER if name in _ours() else _theirs()[name].load()
    parser: Parser = kind(**{option: value for option, value in options.items() if option in kind.options})
    return parser

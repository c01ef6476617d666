"""Turn lines of identity providers' audit logs into token events. Imports nothing from ``ingestor``.

A provider is a folder here with ``PARSER`` in it: a ``parsers.contract.Parser`` class that states its ``version`` and is called
with those of these keyword options that it names in ``options``: ``errors`` (an endpoint's own error texts, see
``parsers.vocabulary``), ``trusted_proxies`` (networks), ``public_identifiers`` (see ``parsers.redaction.identifiers``), ``realms``
(names by ids) and ``log_time_zone`` (an IANA name, of times that are written without a zone). Other people's come by entry point
(``parsers.plugins``); they cannot replace ours. docs/add-a-parser.md is the way to write one.
"""

import functools
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from parsers import mapping as mappings
from parsers import plugins
from parsers.checked import CheckedParser, Report
from parsers.contract import Parser
from parsers.detection import DetectingParser
from parsers.envelopes.parser import EnvelopeParser
from parsers.plugins import UnusableParserError

AUTO: Final = "auto"
"""Detect the provider line by line."""
_FIRST: Final = "native"
_NO_PROVIDERS: Final = {"envelopes", "formats", "mapping", "redaction"}
"""The folders here that are something else."""


def names() -> list[str]:
    """Return the known providers, in the order in which detection asks them: native, ours, mappings, then other people's."""
    ours = _ours()
    shipped = [mappings.PREFIX + name for name in mappings.shipped()]
    return [
        *sorted(ours, key=lambda name: (name != _FIRST, name)),
        *shipped,
        *sorted(plugins.installed().keys() - ours),
    ]


def find(
    name: str = AUTO, report: Report = lambda _: None, mapping: str | None = None, **options: Any
) -> EnvelopeParser:
    """Return a new parser with these options, which takes envelopes off by itself.

    ``report`` is told in one sentence each what is wrong with a parser: one that ``auto`` goes without, and later one that
    fails with a line. ``mapping``: the text of the file that a name such as ``mapping:/etc/tokentail/acme.toml`` names. Raises
    LookupError for an unknown name (UnusableParserError for one that is installed and broken), ValueError for a bad option,
    MappingError for a bad mapping.
    """
    if mappings.file_of(name):
        return EnvelopeParser(_mapped(name, mapping, options, report), is_ours=False)
    known = names()
    if name == AUTO:
        found, left_out = [], dict[str, list[str]]()
        for each in known:
            try:
                found.append(_made(each, options, report))
            except UnusableParserError as error:
                report(str(error))
            except mappings.MappingError as error:  # google-re2 is not to be had for each machine
                left_out.setdefault(error.problems[0].what, []).append(each)
        for reason, without in left_out.items():
            report(f"Left out: {', '.join(without)}: {reason}")
        parser = found[0] if len(found) == 1 else DetectingParser(found)
        return EnvelopeParser(parser, is_ours=all(_is_ours(each.name) for each in found))
    if name not in known:
        raise LookupError(f"no parser named {name!r}: there are {', '.join([AUTO, *known])}")
    return EnvelopeParser(_made(name, options, report), is_ours=_is_ours(name))


def problems(**options: Any) -> Iterator[str]:
    """Yield what is wrong with other people's parsers that are installed: one sentence each."""
    ours = _ours()
    for name, entries in sorted(plugins.installed().items()):
        if name in ours:
            yield f"The parser {name!r} is tokentail's own; another one is not used: {plugins.origin(entries[0])}"
            continue
        try:
            plugins.make(entries, options)
        except UnusableParserError as error:
            yield str(error)


@functools.cache
def _ours() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg) - _NO_PROVIDERS


def _is_ours(name: str) -> bool:
    return name in _ours() or name.startswith(mappings.PREFIX)


def _made(name: str, options: dict[str, Any], report: Report) -> Parser:
    if name.startswith(mappings.PREFIX):
        return _mapped(name, None, options, report)
    if name in _ours():
        kind = import_module(f"{__name__}.{name}").PARSER
        return CheckedParser(plugins.made(kind, options), name, strict=False, report=report)
    return CheckedParser(plugins.make(plugins.installed()[name], options), name, strict=True, report=report)


def _mapped(name: str, text: str | None, options: dict[str, Any], report: Report) -> Parser:
    parser = mappings.make(name, text, **options)
    return CheckedParser(parser, parser.name, strict=False, report=report)

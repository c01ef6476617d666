"""Which parser says what the lines of a source are, made with the options of the settings."""

import hashlib
import logging
from collections import Counter

import orjson

import parsers
from ingestor.config.log_of import log_of
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError
from parsers.checked import Report
from parsers.envelopes.parser import EnvelopeParser
from parsers.mapping import MappingError
from parsers.plugins import UnusableParserError

log = logging.getLogger("tokentail")


def tell(fault: str) -> None:
    """Log what is wrong with a parser."""
    log.error("%s", fault)


def new_parser(name: str, settings: Settings, report: Report = lambda _: None) -> EnvelopeParser:
    """Return a new parser of that name. ``report``: see ``parsers.find``. Raises ConfigError for one that cannot be used."""
    try:
        return parsers.find(name, report, settings.mapping_of(name), **settings.parser_options)
    except UnusableParserError as error:
        raise ConfigError(
            str(error),
            where=str(settings.config_file or ""),
            advice="Mend or uninstall that package, or give the log another `parser`.",
        ) from None
    except MappingError as error:  # google-re2 is not to be had for each machine
        raise ConfigError(
            f"The parser {name!r} cannot be used: {error.problems[0].what}",
            where=str(settings.config_file or ""),
            advice="See docs/getting-started.md, or give the log another `parser`.",
        ) from None


def parser_of(source: str, settings: Settings, report: Report = lambda _: None) -> EnvelopeParser:
    """Return a new parser of a source, as ``new_parser`` does."""
    return new_parser(log_of(source, settings.logs).parser, settings, report)


def check_parsers(settings: Settings) -> None:
    """Raise ConfigError when a log is to be read by a parser that cannot be used."""
    for name in {entry.parser for entry in settings.logs}:
        new_parser(name, settings)


class SourceParsers:
    """The parsers of all sources, by one set of settings. Each is made when it is first asked for."""

    def __init__(self, settings: Settings, report: Report = tell) -> None:
        """``report``: see ``parsers.find``."""
        self._settings = settings
        self._report = report
        self._by_name: dict[str, EnvelopeParser] = {}
        self._names: dict[str, str] = {}
        self._rules: dict[str, str] = {}

    def of(self, source: str) -> EnvelopeParser:
        """Return the parser of a source. Raises ConfigError for one that cannot be used."""
        if source not in self._names:
            self._names[source] = log_of(source, self._settings.logs).parser
        return self.named(self._names[source])

    def named(self, name: str) -> EnvelopeParser:
        """Return the parser of that name. Raises ConfigError for one that cannot be used."""
        if name not in self._by_name:
            self._by_name[name] = new_parser(name, self._settings, self._report)
        return self._by_name[name]

    def rules_of(self, source: str) -> str:
        """Return a digest of everything that decides what a line of this source becomes, besides the line.

        An option that is not set decides nothing, so one that a later release brings changes no digest.
        """
        if source not in self._rules:
            parser = self.of(source)
            options = {name: value for name, value in self._settings.parser_options.items() if value}
            decides = {name: value for name, value in options.items() if name in parser.options}
            rules = [parser.name, parser.version, self._settings.read.max_line_bytes, decides]
            encoded = orjson.dumps(rules)  # in their order: the first pattern of [errors] that fits decides
            self._rules[source] = hashlib.blake2b(encoded, digest_size=8).hexdigest()
        return self._rules[source]

    def counts(self) -> Counter[str]:
        """Return what the parsers have left out."""
        total: Counter[str] = Counter()
        for parser in self._by_name.values():
            total.update(parser.counts)
        return total

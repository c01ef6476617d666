"""Which parser says what the lines of a source are, made with the options of the settings."""

import logging

import parsers
from ingestor.config.log_of import log_of
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError
from parsers.checked import Report
from parsers.contract import Parser
from parsers.plugins import UnusableParserError

log = logging.getLogger("tokentail")


def tell(fault: str) -> None:
    """Log what is wrong with a parser."""
    log.error("%s", fault)


def new_parser(name: str, settings: Settings, report: Report = lambda _: None) -> Parser:
    """Return a new parser of that name. ``report``: see ``parsers.find``. Raises ConfigError for one that cannot be used."""
    try:
        return parsers.find(name, report, **settings.parser_options)
    except UnusableParserError as error:
        raise ConfigError(
            str(error),
            where=str(settings.config_file or ""),
            advice="Mend or uninstall that package, or give the log another `parser`.",
        ) from None


def parser_of(source: str, settings: Settings, report: Report = lambda _: None) -> Parser:
    """Return a new parser of a source, as ``new_parser`` does."""
    return new_parser(log_of(source, settings.logs).parser, settings, report)


def check_parsers(settings: Settings) -> None:
    """Raise ConfigError when a log is to be read by a parser that cannot be used."""
    for name in {entry.parser for entry in settings.logs}:
        new_parser(name, settings)

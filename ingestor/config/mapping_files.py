"""The files that say how in-house logs are mapped: ``parser = "mapping:/etc/tokentail/acme.toml"``."""

from dataclasses import replace
from pathlib import Path

from ingestor.config.settings import LogSettings, Settings
from ingestor.config.values import NotAcceptedError, parser_name
from ingestor.errors import ConfigError
from parsers import mapping


def mapping_text(file: str) -> str:
    """Return what stands in a file. Raises NotAcceptedError."""
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(mapping.MAPPING_BYTES + 1)
    except FileNotFoundError:
        raise NotAcceptedError("does not exist") from None
    except PermissionError:
        raise NotAcceptedError("cannot be read by this user") from None
    except OSError as error:
        raise NotAcceptedError(f"cannot be read: {error.strerror}") from None
    if len(data) > mapping.MAPPING_BYTES:
        raise NotAcceptedError(f"has more than {mapping.MAPPING_BYTES:,} bytes, so it is no mapping")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAcceptedError(f"is not UTF-8 (byte {error.start})") from None


def read_as(parser: str, source: str, settings: Settings) -> Settings:
    """Return settings by which a source is read by this parser, whatever the configuration says of it.

    A mapping file may be named by a relative path. Raises ConfigError for a parser or a mapping that cannot be used.
    """
    file = mapping.file_of(parser)
    if file:
        parser = f"{mapping.PREFIX}{Path(file).absolute()}"
    try:
        entry = LogSettings(source, parser=parser_name(parser), mapping=mapping_text(file) if file else None)
        if entry.mapping is not None:
            mapping.read_mapping(entry.mapping)
    except NotAcceptedError as error:
        what = f"The mapping {error}" if file else f"The parser {error}"
        raise ConfigError(what, where=file or parser, advice="docs/mapping.md has how a mapping is written.") from None
    except mapping.MappingError as error:
        raise ConfigError(
            "The mapping cannot be used:\n" + "\n".join(f"  {file}: {problem}" for problem in error.problems),
            advice="docs/mapping.md has how a mapping is written.",
        ) from None
    return replace(settings, logs=(entry,))

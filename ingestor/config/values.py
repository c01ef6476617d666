"""What options of the configuration accept. Pure: values in, values or ``NotAcceptedError`` out; no file is touched.

An option has two readers: ``accept`` for a TOML value, ``read`` for the text of an environment variable. Each option stands
once, at its field in ``ingestor.config.settings``.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import parsers
from ingestor.config.schemes import SCHEMES, scheme_of
from parsers import mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class NotAcceptedError(ValueError):
    """The message says what is accepted."""


def text(value: Any) -> str:
    """Accept a string without control characters."""
    if not isinstance(value, str) or _CONTROL.search(value):
        raise NotAcceptedError("must be a text without control characters")
    return value


def absolute_path(value: Any) -> str:
    """Accept an absolute path: a service has no working directory worth the name, and a source must not depend on it."""
    path = text(value)
    if not path.startswith("/"):
        raise NotAcceptedError("must be an absolute path, such as /var/log/oauth/audit.log")
    return path


def path_or_none(value: Any) -> Path | None:
    """Accept an absolute path, or nothing: the documented place is used then, if there is one."""
    return Path(absolute_path(value)) if value != "" else None


def log_path(value: Any) -> str:
    """Accept an absolute path or glob of log files, or what a scheme names."""
    if isinstance(value, str) and (scheme := scheme_of(value)):
        return scheme + SCHEMES[scheme](text(value).removeprefix(scheme))
    path = absolute_path(value)
    if path.endswith("/"):
        raise NotAcceptedError("must name files, not a directory: add a name or a pattern, such as *.log")
    return path


def one_of(*words: str) -> Callable[[Any], str]:
    """Accept one of a few words."""

    def accept(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise NotAcceptedError(f"must be {either(words)}")
        return value

    return accept


def whole_number(least: int, most: int) -> Callable[[Any], int]:
    """Accept an integer within bounds, and no boolean, which is an integer to Python."""

    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise NotAcceptedError(f"must be a whole number from {least:,} to {most:,}")
        return value

    return accept


def seconds(least: float, most: float) -> Callable[[Any], float]:
    """Accept a number of seconds within bounds."""

    def accept(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise NotAcceptedError(f"must be a number of seconds from {least:g} to {most:g}")
        return float(value)

    return accept


def time_zone_name(value: Any) -> str:
    """Accept a zone of the IANA time zone database."""
    name = text(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown; a path out of the database; a folder of it
        raise NotAcceptedError("must be a time zone of the IANA database, such as UTC or Europe/Berlin") from error
    return name


def network(value: Any) -> str:
    """Accept an IP network or a single address."""
    try:
        return str(ipaddress.ip_network(text(value), strict=True))
    except ValueError as error:
        raise NotAcceptedError("must be an IP address or network, such as 10.0.0.0/8 or 2001:db8::1") from error


def public_identifier(value: Any) -> str:
    """Accept an identifier, or a pattern of some: one that fits everything would let every secret through."""
    name = text(value)
    if len(name.replace("*", "").strip()) < 4:
        raise NotAcceptedError("must be an identifier, or a pattern with at least 4 characters besides its *")
    return name


def list_of(accept: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Accept a list whose items are all accepted."""

    def accept_list(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise NotAcceptedError('must be a list, such as ["..."]')
        items = []
        for index, item in enumerate(value):
            try:
                items.append(accept(item))
            except NotAcceptedError as error:
                raise NotAcceptedError(f"item {index + 1} {error}") from error
        return tuple(items)

    return accept_list


def parser_name(value: Any) -> str:
    """Accept ``auto``, the name of an installed parser, or a mapping: that of one that ships, or the path of its file."""
    if isinstance(value, str) and (file := mapping.file_of(value)):
        if not text(file).startswith("/"):
            raise NotAcceptedError("must name the file of a mapping by its absolute path")
        return value
    if value == parsers.AUTO:
        return parsers.AUTO  # other people's parsers, which take a while to find, are not asked for
    words = (parsers.AUTO, *parsers.names())
    if not isinstance(value, str) or value not in words:
        raise NotAcceptedError(f"must be {either((*words, f'{mapping.PREFIX}/PATH/OF/A/FILE.toml'))}")
    return value


def server_url(value: Any) -> str:
    """Accept the address of a server: scheme, host, perhaps a port and a path. No secret may stand in it."""
    parts = urlsplit(text(value))
    try:
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        port_is_one = False
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_one:
        raise NotAcceptedError("must be a URL such as https://influxdb.example.org:8086")
    if parts.username is not None or parts.query or parts.fragment:
        raise NotAcceptedError("must hold no user, password or query: see username, password_file and token_file")
    return str(value).rstrip("/")


def database_name(value: Any) -> str:
    """Accept a name that can be part of a bucket's name, too."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value) or value.startswith("_"):
        raise NotAcceptedError("must be 1 to 64 letters, digits, dots, dashes or underscores, not beginning with one")
    return value


def boolean(value: Any) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise NotAcceptedError("must be true or false")
    return value


def title(value: Any) -> str:
    """Accept a name that people read."""
    if not text(value).strip() or len(value) > 100 or "/" in value:
        raise NotAcceptedError("must be a name of 1 to 100 characters without a slash")
    return str(value).strip()


def mail_address(value: Any) -> str:
    """Accept one address; Grafana separates several by what is refused here."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\s@<>,;\"']+@[^\s@<>,;\"']+", value):
        raise NotAcceptedError("must be an e-mail address, such as on-call@example.org")
    return value


def or_empty(accept: Callable[[Any], str]) -> Callable[[Any], str]:
    """Accept nothing, too."""
    return lambda value: "" if value == "" else accept(value)


def listen_address(value: Any) -> str:
    """Accept ``address:port``, or nothing."""
    if value == "":
        return ""
    host, _, port = text(value).rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
        good = 0 < int(port) < 65536
    except ValueError:
        good = False
    if not good:
        raise NotAcceptedError("must be an IP address and a port, such as 127.0.0.1:9464, or empty")
    return str(value)


def either(words: tuple[str, ...]) -> str:
    """Return words as people list them: ``"a", "b" or "c"``."""
    quoted = [f'"{word}"' for word in words]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def number(written: str) -> int | float | str:
    """Read a number from the environment; what is none goes on as it is, to be refused with the usual words."""
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written


def true_or_false(written: str) -> bool | str:
    """Read a boolean from the environment, likewise."""
    return {"true": True, "false": False}.get(written.lower(), written)


def comma_separated(written: str) -> list[str]:
    """Read a list from the environment."""
    return [item.strip() for item in written.split(",") if item.strip()]


@dataclass(frozen=True, slots=True)
class Option:
    """One key of the configuration."""

    accept: Callable[[Any], Any]
    read: Callable[[str], Any] = str
    private: bool = False
    """Whether a secret may be found there by mistake: a token where its file belongs, a password in a URL. No message repeats it."""

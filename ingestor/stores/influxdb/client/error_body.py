"""The JSON in which InfluxDB says why it did not do something: ``{"error": ...}`` (1.x), ``{"code": ..., "message": ...}`` (2.x). Pure."""

from typing import Final

import orjson

from parsers.text import cap, clean

_MOST_BYTES: Final = 300
"""Of the server's own words, when they are shown."""


def error_message(body: bytes | str) -> str | None:
    """Return the message as it came; None when the body is none of InfluxDB's, such as a proxy's."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict):
        return None
    message = told.get("message") if "code" in told else told.get("error")
    return message if isinstance(message, str) and message else None


def own_words(body: bytes | str) -> str:
    """Return the message for people, cleaned and capped; empty when the body is none of InfluxDB's."""
    return shown(error_message(body) or "")


def shown(words: object) -> str:
    """Return what a server said, whatever it is, as it can be shown: without control characters, and not for ever."""
    return cap(clean(str(words)), _MOST_BYTES)

"""Lines of Keycloak's log as plain text: ``2026-11-29 10:00:00,123 INFO  [org.keycloak.events] (executor-thread-1) ...``."""

import re
from typing import Final

from parsers.contract import Reason
from parsers.records import RejectedError

_HEAD: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}[,.][0-9]{1,9})"
    r"(?: traceId=\S*, parentId=\S*, spanId=\S*, sampled=\S*)?"  # with tracing
    r" [A-Z]+ +(?:\{[^\[\]{}]*\} )?"  # with log-mdc
    r"\[([^\]]+)\] \(.*?\) "
)
_TIME: Final = slice(0, 23)
_LEVELS: Final = frozenset({" INFO  [", " WARN  [", " ERROR [", " DEBUG [", " TRACE ["})
_LEVEL: Final = slice(23, 31)
"""Where most lines have their time and level, which need not be looked for then."""
_FRAME: Final = re.compile(r"at [\w.$/@-]+\.[\w$<>]+\(|\.\.\. [0-9]+ (?:more|common)|(?:Caused by|Suppressed): ")
"""How a line of Java's stack traces begins."""
_PROSE: Final = re.compile(r"[A-Za-z][^\x00-\x08\x0a-\x1f\x7f{}]* [^\x00-\x08\x0a-\x1f\x7f{}]*+")
"""Words: a banner, or the rest of a message of several lines. What holds braces may be a piece of JSON."""
_OF_AN_EVENT: Final = re.compile(r"(?:realmId|clientId|userId|ipAddress|grant_type)=|org\.keycloak\.events|\":")


_BANNER: Final = re.compile(
    r"JAVA_OPTS|Updating the configuration and |Changes detected in configuration|Running the server in |Next time you run the server"
    r"|Server configuration updated|insert into EVENT_ENTITY "
)
"""What Keycloak's start script prints, and its one message of several lines at level debug."""


def is_keycloaks(text: str) -> bool:
    """Whether text is a line of Keycloak's log: with its head, of a stack trace, or of its start script.

    ``read_line`` leaves out other prose, too. It may be anybody's, so it is no sign of Keycloak.
    """
    return text[_LEVEL] in _LEVELS or any(form.match(text) for form in (_HEAD, _FRAME, _BANNER))


def read_line(text: str) -> tuple[str, str, str] | None:
    """Return time, logger and message of a line; None for what has no head and is no event's: a stack trace, a banner.

    The time is a local one, ``2026-11-29 10:00:00,123``. Raises RejectedError for what has no head and may be a piece of an event.
    """
    if text[_LEVEL] in _LEVELS:
        logger = text.find("] (", _LEVEL.stop)
        thread = text.find(") ", logger)
        if 0 < logger < thread:
            return text[_TIME], text[_LEVEL.stop : logger], text[thread + 2 :]
    head = _HEAD.match(text)
    if head:
        return head[1], head[2], text[head.end() :]
    if _FRAME.match(text) or (_PROSE.fullmatch(text) and not _OF_AN_EVENT.search(text)):
        return None
    raise RejectedError(Reason.INVALID_JSON, "neither a record nor text between records")

"""The form of an event, checked: what ``parsers.contract`` promises of each part of it."""

import re
from functools import lru_cache
from typing import Any, Final

from parsers.contract import ENDPOINTS, ERRORS, GRANT_TYPES, OUTCOMES, Event, Tags
from parsers.records import EXPIRES_IN_MAX
from parsers.text import normal_field, normal_tag
from parsers.vocabulary import OTHER

_FRACTION: Final = re.compile(r"[0-9]{0,2}|[0-9]{4,18}")
_FEWEST: Final = 2
"""Events of a line that make a list: one is that event itself, none is ``IGNORED``."""
_TEXTS: Final = ("user_id", "ip", "user_agent", "scopes", "event_id", "error_detail")
_WORDS: Final = {
    "action": OUTCOMES.keys(),
    "endpoint": ENDPOINTS | {""},
    "error": ERRORS | {OTHER, ""},
    "grant_type": GRANT_TYPES | {""},
}


def fault_of_events(outcome: tuple[Any, ...] | list[Any], latest_ms: int) -> str | None:
    """Return what is wrong with the event or the events of a line, as ``fault_of_event`` does."""
    if isinstance(outcome, tuple):
        return fault_of_event(outcome, latest_ms)
    if len(outcome) < _FEWEST:
        return f"a list of {len(outcome)} events"
    if not all(isinstance(row, tuple) for row in outcome):
        return "a list of something else"
    return next((fault for row in outcome if (fault := fault_of_event(row, latest_ms))), None)


def fault_of_event(row: tuple[Any, ...], latest_ms: int) -> str | None:
    """Return which part of an event is not as the contract wants it, and why; None when all is well.

    ``latest_ms``: the latest time believed, Unix epoch in milliseconds. The parts' values are not told.
    """
    if len(row) != len(Event._fields):
        return f"an event of {len(row)} parts"
    event: Any = Event(*row)
    if not _is_integer(event.time_ms, 0, latest_ms):
        return "time_ms: no integer from 1970 to a day ahead"
    if event.fraction is not None and not (isinstance(event.fraction, str) and _FRACTION.fullmatch(event.fraction)):
        return "fraction: not the written digits"
    if event.fraction is not None and event.time_ms % 1000 != int(event.fraction[:3].ljust(3, "0")):
        return "fraction: not that of time_ms"
    if event.expires_in is not None and not _is_integer(event.expires_in, 0, EXPIRES_IN_MAX):
        return f"expires_in: no integer from 0 to {EXPIRES_IN_MAX}"
    return _fault_of_tags(event.tags) or next(
        (f"{name}: {fault}" for name in _TEXTS if (fault := _fault_of_field(getattr(event, name)))), None
    )


def _fault_of_tags(tags: Any) -> str | None:
    if tags.__class__ is not Tags or not all(tag.__class__ is str for tag in tags):
        return "tags: no Tags of strings"
    return _fault_of_words(tags)


@lru_cache(10_000)
def _fault_of_words(tags: Tags) -> str | None:
    # Most lines of a log have tags that others have, too.
    for name, words in _WORDS.items():
        if getattr(tags, name) not in words:
            return f"{name}: not in the vocabulary"
    if tags.outcome != OUTCOMES[tags.action]:
        return "outcome: not that of the action"
    return next((f"{n}: not in normal form" for n in ("client_id", "realm") if _is_unclean_tag(getattr(tags, n))), None)


def _is_unclean_tag(text: str) -> bool:
    return normal_tag(text) != text


def _fault_of_field(text: Any) -> str | None:
    if text is None:
        return None
    if text.__class__ is not str or not text:
        return "neither None nor a text"
    return None if normal_field(text) == text else "not in normal form"


def _is_integer(value: Any, least: int, most: int) -> bool:
    return value.__class__ is int and least <= value <= most

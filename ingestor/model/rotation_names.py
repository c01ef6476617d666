"""Names of rotated generations: which files beside a log are its past, and in what order they were written.

logrotate numbers (``audit.log.1``) or dates (``audit.log-20261101``) them, log libraries put the date before the
extension (``audit-2026-11-01.log``), and all of them may be compressed afterwards.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

COMPRESSED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz")

_NUMBER = re.compile(r"\.(\d{1,6})")
_DATE = re.compile(r"[-._](\d{4})[-_]?(\d{2})[-_]?(\d{2})(?:[-_.T]?(\d[\d\-_.:]*))?")
_OLD = re.compile(r"[.~](old|bak|prev)|~")
_SEPARATOR = re.compile(r"[-._~]")
_ODD = re.compile(
    r"(?:[-._~+]|(?=\d{4}W?\d\d))(?=.*\d)[\dTWZ\-._+:]+(?:[-._~](?:old|bak|backup|prev|orig|save|saved|log))?"
    r"|[-._~](?:old|bak|backup|prev|orig|save|saved)",
    re.IGNORECASE,
)
"""What schemes of every kind put into a name: figures with their separators (``-2026W48``, ``.29-11-2026``), a word for what is past.

Figures without a separator are a date: ``node2.log`` is another log than ``node.log``.
"""

_PAST = r"old|bak|backup|prev|previous|orig|save|saved|archive|archived|processed|rotated"
_CALENDAR = (
    r"mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?|"
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|week|w(?=\d)|(?<=\d)[tz](?![a-z])"
)
_WORDS = re.compile(rf"(?:[-._~+,: (]+(?:\d|{_PAST}|{_CALENDAR})+)+[~)]*", re.IGNORECASE)
"""Words of the calendar and for what is past, with figures: ``.Sun``, ``.01-Nov-2026``, ``.week44``, ``.bak1``, ``.~1~``, `` (1)``.

There is one way to read a text, so that no name takes long.
"""
_DATED_BEFORE = re.compile(r"(?:19|20)\d\d[-_.]?\d\d(?:[-_.]?\d\d)?(?:[-_.T]?\d\d[\d:.\-]*Z?)?[-_. ]")
"""Before the log's name: ``2026-11-01_audit.log``."""
_OTHER_END = re.compile(
    rf"[-._~](?:{_PAST})\d*|(?=.*(?:\d[-_.]?){{6}})(?P<odd>.+)\.(?:txt|log|jsonl?|ndjson|out)", re.IGNORECASE
)
"""In the place of the extension: ``audit.bak``, ``audit.2026-11-01.txt``."""


class Age(NamedTuple):
    """Sorts oldest first. Schemes do not mix in practice; where they do, dated names are the older ones."""

    scheme: int
    """0 dated, 1 numbered (``.old`` counts as number 1)."""
    date: str
    number: int
    """Negative for numbered names: ``.2`` is older than ``.1``."""


def uncompressed_name(name: str) -> str:
    """Drop the suffix of a compressed file."""
    for suffix in COMPRESSED_SUFFIXES:
        if name.endswith(suffix):
            return name[: -len(suffix)]
    return name


def is_compressed(name: str) -> bool:
    """Tell by the name; such a file is never a live log."""
    return name.endswith(COMPRESSED_SUFFIXES)


def rotation_age(live: str, name: str) -> Age | None:
    """Return how old ``name`` is among the rotated generations of the log named ``live``; None if it is none of them.

    Both are names without directory.
    """
    plain = uncompressed_name(name)
    if plain == live:
        return Age(1, "", 0) if plain != name else None
    if plain.startswith(live):
        return _age(plain[len(live) :])
    stem, dot, extension = live.rpartition(".")
    if stem and plain.startswith(stem) and plain.endswith(dot + extension):
        return _age(plain[len(stem) : -len(dot + extension)])
    return None


def may_be_rotated(live: str, name: str) -> bool:
    """Tell whether ``name`` may be a rotated generation of the log named ``live``, under any scheme that names are made by.

    Wider than ``rotation_age``, which knows the order too. Both are names without directory.
    """
    if rotation_age(live, name) is not None:
        return True
    plain = uncompressed_name(name)
    if plain.startswith(live):
        return _is_odd(plain[len(live) :])
    if plain.endswith(live) and _DATED_BEFORE.fullmatch(plain[: -len(live)]):
        return True
    stem, dot, extension = live.rpartition(".")
    if not stem or not plain.startswith(stem):
        return False
    if plain.endswith(dot + extension):
        middle = plain[len(stem) : -len(dot + extension)]
        # Words alone are in names of other logs, too: audit-archive.log.
        return _ODD.fullmatch(middle) is not None or (_WORDS.fullmatch(middle) is not None and _has_figure(middle))
    end = _OTHER_END.fullmatch(plain[len(stem) :])
    return end is not None and (end["odd"] is None or _is_odd(end["odd"]))


def _is_odd(part: str) -> bool:
    return _ODD.fullmatch(part) is not None or _WORDS.fullmatch(part) is not None


def _has_figure(part: str) -> bool:
    return any(character.isdigit() for character in part)


def may_be_live(live: str, name: str) -> bool:
    """Tell whether a rotated generation of ``live``, by its name, may as well be a live log: it ends as that one does.

    ``idp-1.log`` may be the past of ``idp.log``, or the log of another node; nobody calls a live log ``idp.log.1``.
    """
    return not name.startswith(live) and not is_compressed(name)


def possible_live_names(name: str) -> Iterator[str]:
    """Yield the names of which ``name`` may be a rotated generation, under any scheme: what stands before a separator.

    They need not exist; ``may_be_rotated`` holds for each.
    """
    plain = uncompressed_name(name)
    stem, dot, extension = plain.rpartition(".")
    ends = [match.start() for match in _SEPARATOR.finditer(plain) if match.start()]
    for live in dict.fromkeys([plain, *(plain[:end] for end in ends), *(stem[:end] + dot + extension for end in ends)]):
        if live not in {"", name} and may_be_rotated(live, name):
            yield live


def live_name(name: str) -> str | None:
    """Return the name of the log that ``name`` would be a rotated generation of; None for a name that is not rotated."""
    plain = uncompressed_name(name)
    for pattern in (_NUMBER, _DATE, _OLD):
        match = next((m for m in pattern.finditer(plain) if m.end() == len(plain) and m.start()), None)
        if match:
            return plain[: match.start()]
    stem, dot, extension = plain.rpartition(".")
    for pattern in (_NUMBER, _DATE):
        match = next((m for m in pattern.finditer(stem) if m.end() == len(stem) and m.start()), None)
        if match and dot:
            return stem[: match.start()] + dot + extension
    return plain if plain != name else None


def _age(middle: str) -> Age | None:
    if match := _NUMBER.fullmatch(middle):
        return Age(1, "", -int(match[1]))
    if match := _DATE.fullmatch(middle):
        year, month, day, rest = match.groups()
        digits = re.sub(r"\D", "", rest or "")
        return Age(0, year + month + day, int(digits[:18] or 0))
    if _OLD.fullmatch(middle):
        return Age(1, "", -1)
    return None

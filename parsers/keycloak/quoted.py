r"""A message whose values stand in quotes: ``type="CLIENT_LOGIN", realmId="…", realmName="acme", clientId="web", …``.

A ``"`` in a value is written as ``\"`` and a backslash stays one, so ``clientId="ends\", userId="null"`` names a client that ends in
a backslash. No unescaper of C or JSON reads that. But ``="``, which opens a value, is in none. So there is one reading in which every
quote without a backslash before it opens or closes a value (a wrong one would have to find ``, key=`` as the whole of each value that
follows, up to the end), and nothing that a value holds can make a key.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from parsers.contract import Reason
from parsers.keycloak.fields import DETAILS, KEY, MOST_KEYS, NAMES, Fields, fields_of, unclear
from parsers.records import RejectedError

_BEGUN_KEY: Final = re.compile(rf"(?:,(?: (?:{KEY}=?)?)?)?")
_BY_GRANT: Final = frozenset({"LOGIN", "LOGIN_ERROR"})
"""Types that are about a token with a grant alone, which a cut may have taken."""


class _Quoting(NamedTuple):
    """What to look for where values stand in quotes of one kind."""

    bare: re.Pattern[str]
    """A quote without a backslash before it."""
    between: re.Pattern[str]
    """From where a value ends to where the next one opens."""
    traced: re.Pattern[str]
    """The last value at level TRACE, an address without blanks. Text that may hold anything follows, and no key."""


@lru_cache(4)
def _quoting(quote: str) -> _Quoting:
    q = re.escape(quote)
    patterns = (rf"(?<!\\){q}", rf"{q}, ({KEY})=(?={q})", rf"={q}[^{q}\\ ]*+{q}(?=, cookies=\[)")
    return _Quoting(*map(re.compile, patterns))


def read_quoted(message: str, quote: str, *, may_be_cut: bool) -> Fields:
    """Return what a message says. Raises RejectedError when its values do not hold together.

    ``may_be_cut``: syslog cuts long records, so the end may be missing behind what says what happened.
    """
    traced = _quoting(quote).traced.search(message)
    if traced:
        message = message[: traced.end()]
    pairs = _pairs(message, quote, may_be_cut=may_be_cut)
    if repeats([key for key, _ in pairs]):
        raise unclear()
    fields = fields_of(pairs)
    is_cut = may_be_cut and not message.endswith(quote)
    if is_cut and fields.type in _BY_GRANT and fields.grant_type is None:
        raise RejectedError(Reason.WRONG_TYPE, "message: cut before it names the grant")
    return fields


def repeats(keys: list[str]) -> bool:
    """Whether a key of Keycloak's own stands there twice: somebody's value made one, where values are written as they are."""
    return any(keys.count(name) > 1 for name in NAMES[:DETAILS])


def _pairs(message: str, quote: str, *, may_be_cut: bool) -> list[tuple[str, str]]:
    """Return the keys and values; none when they do not hold together.

    A value has the number of the quote that opens it. It closes at the next quote or, when it ends in a backslash, just before the
    one that opens the next value. What follows tells which, so this goes from the last value back, once.
    """
    quoting = _quoting(quote)
    quotes = [found.start() for found in islice(quoting.bare.finditer(message), 2 * MOST_KEYS)]
    number_of = {place: number for number, place in enumerate(quotes)}
    ends = {number: (end, "", -1) for number, end in _last_values(message, quotes, quote, may_be_cut=may_be_cut)}
    """Of a value: its end, and the key and number of the next one."""
    for found in reversed(list(quoting.between.finditer(message))):
        following = number_of.get(found.end())
        if following in ends:
            number = number_of.get(found.start(), following) - 1
            ends.setdefault(number, (found.start(), found[1], following))
    pairs: list[tuple[str, str]] = []
    key, number = "type", 0 if quotes[:1] == [len("type=")] else -1
    while number >= 0 and number in ends:
        end, next_key, following = ends[number]
        if end < len(message) or key == "reason":  # whose beginning tells enough
            pairs.append((key, message[quotes[number] + 1 : end].replace("\\" + quote, quote)))
        key, number = next_key, following
    return pairs


def _last_values(message: str, quotes: list[int], quote: str, *, may_be_cut: bool) -> Iterator[tuple[int, int]]:
    """Yield the number of each value that may be the last one, and where it ends."""
    last = len(message) - 1
    if quotes[-1:] == [last]:
        yield len(quotes) - 2, last
    elif message.endswith("\\" + quote):
        yield len(quotes) - 1, last
    elif may_be_cut and quotes:
        yield len(quotes) - 1, last + 1
        if _BEGUN_KEY.fullmatch(message, quotes[-1] + 1):
            yield len(quotes) - 2, quotes[-1]

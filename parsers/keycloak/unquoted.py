"""A message whose values stand without quotes: ``type=CLIENT_LOGIN, realmId=…, clientId=web, userId=null, ipAddress=…``.

So Keycloak wrote them up to version 21, with ``'`` around a detail that holds a space, and writes them still when told ``quotes=none``.
A value can hold what looks like keys. But the first keys have a fixed order, and the user among them is never of a stranger's
choice, which leaves one reading in nearly all cases. A message that has several is rejected: somebody forged it, and nobody can say
which part.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from parsers.keycloak.fields import KEY, MOST_KEYS, NAMES, Fields, fields_of, not_together, unclear

_HEAD: Final = re.compile(r"type=([A-Z0-9_]++), realmId=([^,]*+)(?:, realmName=([^,]*+))?, clientId=")
_MIDDLE: Final = re.compile(
    r", userId=([^,\s=]++)(?:, sessionId=[^,\s=]++)?, ipAddress=([^,]*+)(?:, error=([^,=]++)(?=, |$)|(?=, (?!error=)))"
)
_DETAIL: Final = re.compile(rf", ({KEY})=")
_FIRST_KEY: Final = re.compile(r", (?:realmId|clientId|userId|ipAddress)=")
_TYPED_DETAIL: Final = re.compile(r", (?:username|redirect_uri|reason|detail|scope|code_id)=")
"""Details that hold what a stranger typed."""


def read_unquoted(message: str) -> Fields:
    """Return what a message says. Raises RejectedError for one that has no reading, or several."""
    readings = list(islice(_readings(message), 2))
    if len(readings) > 1:
        raise unclear()
    if not readings:
        raise not_together()
    return readings[0]


def _readings(message: str) -> Iterator[Fields]:
    """Yield each way to read a message: the client's name ends where the user may follow."""
    head = _HEAD.match(message)
    if head is None:
        return
    for middle in _MIDDLE.finditer(message, head.end()):
        rest = middle.end()
        again = _FIRST_KEY.search(message, rest)
        if again and not _TYPED_DETAIL.search(message, rest, again.start()):
            continue  # no detail can hold these, so the client's name goes on
        details = list(islice(_DETAIL.finditer(message, rest), MOST_KEYS))
        ends = [*(detail.start() for detail in details[1:]), len(message)]
        first = (*head.groups(), message[head.end() : middle.start()], *middle.groups())
        yield fields_of(
            [
                *zip(NAMES, first, strict=False),
                *((detail[1], bare(message[detail.end() : end])) for detail, end in zip(details, ends, strict=False)),
            ]
        )


def bare(value: str) -> str:
    """Return the value of a detail, without the quotes that one with a space has."""
    return value[1:-1] if len(value) > 1 and " " in value and value[0] == value[-1] == "'" else value

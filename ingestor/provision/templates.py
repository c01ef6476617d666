"""Placeholders of the rule files: ``@{name}`` is a threshold or a shared piece, ``@{name word}`` a piece with a word in it.

The clients that a rule is about are told apart here, too: all but those with thresholds of their own, or one of these.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ingestor.model.statistics import client_of
from ingestor.stores.influxdb.read.influxql import identifier, literal
from parsers.text import clean

CLIENTS: Final = "and_clients"
"""The placeholder in queries where conditions on the client go."""
_PLACEHOLDER: Final = re.compile(r"@\{(\w+)(?: (\w+))?\}")
_DEEPEST: Final = 8
"""Pieces hold pieces, but none holds itself."""


def render_template(text: str, values: Mapping[str, str], clients: str = "") -> str:
    """Put the values in until there is no placeholder left, then ``clients``, in which none is looked for.

    Raises ValueError for a placeholder that nothing fills.
    """

    def put(found: re.Match[str]) -> str:
        name, word = found.groups()
        if name == CLIENTS:
            return "\0"
        if name not in values:
            raise ValueError(f"nothing fills {found[0]}")
        return values[name].replace("@{1}", word) if word else values[name]

    for _ in range(_DEEPEST):
        if not _PLACEHOLDER.search(text):
            return text.replace("\0", clients).strip()
        text = _PLACEHOLDER.sub(put, text)
    raise ValueError(f"{text!r} has no end")


def only(key: str) -> str:
    """Return the condition, with its AND, that an event is of this client."""
    realm, client = client_of(key)
    return f"AND {_is('client_id', client)} AND {_is('realm', realm)}"


def all_but(keys: Iterable[str]) -> str:
    """Return the conditions, each with its AND, that an event is of none of these clients."""
    clients = map(client_of, keys)
    return " ".join(
        f"AND ({_is('client_id', id_, no=True)} OR {_is('realm', realm, no=True)})" for realm, id_ in clients
    )


def _is(tag: str, value: str, *, no: bool = False) -> str:
    """Compare a tag; an absent one is the empty text to InfluxQL."""
    if "$" not in value:
        return f"{identifier(tag)} {'!=' if no else '='} {literal(value)}"
    # Grafana replaces $timeFilter, $interval and the like wherever they stand. A regular expression can say `$` without it.
    letters = "".join(letter if letter.isalnum() else f"\\x{{{ord(letter):x}}}" for letter in clean(value))
    return f"{identifier(tag)} {'!~' if no else '=~'} /^{letters}$/"

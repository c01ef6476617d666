"""Envelopes of collectors: objects that have the line in them, as a text or as an object, beside what else is known of it.

An object is one only if it has no key that a collector does not write. So a line of a provider, which has keys of its own, is none,
also where a collector has added some to it. What is within is handed on byte for byte, as long as it is JSON itself.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from parsers.envelopes import kinds
from parsers.envelopes.kinds import Envelope, Taken
from parsers.envelopes.strings import ended_texts, text_of_string, unended_texts

HEAD_BYTES: Final = 5
"""So much of an object tells of most that they are no envelope: a brace, and how their first key begins."""
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COLLECTORS_KEYS: Final = _words(
    "timestamp time ts date datetime host hostname source source_type sourcetype stream file path filename tag tags agent"
    " container container_id container_name container_image kubernetes k8s docker labels fields input offset ecs log"
    " cloud service environment env index topic partition key pod pod_name namespace namespace_name node cluster region"
    " level severity facility priority pri program ident pid type beat prospector metadata schema message logtag"
    " partial_message partial_id partial_ordinal partial_last port line preview"
)
"""What collectors write beside the line. Keys that begin with ``_`` or ``@`` are theirs as well."""
_CLOUD_LOGGING_KEYS: Final = _words(
    "logName resource timestamp receiveTimestamp severity insertId labels operation trace spanId traceSampled sourceLocation"
    " httpRequest split errorGroups apphub apphubDestination apphubSource metadata jsonPayload textPayload protoPayload"
)

_SPLITTING_KEYS: Final = _words("partial_id logtag _p")
"""What tells the parts of a record."""
_DOCKER_KEYS: Final = _words("log stream time attrs")


class _Form(NamedTuple):
    """One kind of object."""

    envelope: Envelope
    needed: tuple[str, ...]
    within: tuple[str, ...]
    """Where the line is: the first that is there, a text or an object."""
    known: AbstractSet[str] = _COLLECTORS_KEYS
    """Keys that may be there besides ``needed`` and ``within``."""
    is_json: bool = False
    """Whether a text counts only if it begins as an object does: others write a plain text under this key."""
    may_be_object: bool = True
    """Whether an object counts there; where it does not, it is something else than the line."""

    def may_have(self, key: str) -> bool:
        """Whether an object of this form may have a key."""
        known = key in self.known or key in self.needed or key in self.within
        return known or key.startswith(("_", "@"))


_FORMS: Final = (
    _Form(kinds.CLOUD_LOGGING, ("logName",), ("jsonPayload", "textPayload", "protoPayload"), _CLOUD_LOGGING_KEYS),
    _Form(kinds.SPLUNK, ("_raw",), ("_raw",)),
    _Form(kinds.SPLUNK, ("preview", "result"), ("result",), _words("offset lastrow")),
    _Form(kinds.SPLUNK, ("event",), ("event",), _words("time host source sourcetype index fields"), is_json=True),
    _Form(kinds.GELF, ("version", "host", "short_message"), ("full_message", "short_message")),
    _Form(kinds.FILEBEAT, ("@timestamp", "agent", "message"), ("message",), _COLLECTORS_KEYS | {"event", "json"}),
    _Form(kinds.LOGSTASH, ("@timestamp", "@version", "message"), ("message",), _COLLECTORS_KEYS | {"event"}),
    _Form(kinds.VECTOR, ("source_type", "message"), ("message",)),
    _Form(kinds.COLLECTOR, ("json",), ("json",), is_json=True),
    _Form(kinds.COLLECTOR, ("payload",), ("payload",), is_json=True),
    _Form(kinds.FLUENTD, ("log",), ("log",), may_be_object=False),
    _Form(kinds.COLLECTOR, ("message",), ("message",), is_json=True),
)
"""The first that fits is it."""
_BEGINNINGS: Final = frozenset(
    f'{{"{key}"'.encode()[:HEAD_BYTES] for form in _FORMS for key in (*form.known, *form.needed, *form.within)
)


def may_begin(head: bytes) -> bool:
    """Tell whether an object that begins so may be an envelope. ``head``: its first ``HEAD_BYTES``."""
    first = head[2:3]
    return not head.startswith(b'{"') or head in _BEGINNINGS or first in b"_@" or first.isupper()


def lines_in(lines: Sequence[bytes]) -> bytes | None:
    """Return what is in objects of collectors, as lines, when all have the keys of the first and are whole records; None else.

    Raises ValueError, RecursionError for no JSON, and where an object has other keys.
    """
    members = _members(lines[0])
    usual = _usual(tuple(members))
    if usual is None:
        return None
    if bytes(members[usual.key]).startswith(b"{"):
        found = [bytes(usual.decode_raw(line).value) for line in lines]
        is_usual = usual.form.may_be_object and not [value for value in found if not value.startswith(b"{")]
        return b"\n".join([*found, b""]) if is_usual else None
    texts = [usual.decode_text(line).value for line in lines]
    if usual.form.is_json and [text for text in texts if not text.startswith("{")]:
        return None
    return ended_texts(texts) if texts[0].endswith("\n") else unended_texts(texts)


@lru_cache(256)
def _forms_of(keys: tuple[str, ...]) -> tuple[_Form, ...]:
    """Return the forms that an object with these keys may have; lines of one log have the same keys."""
    return tuple(form for form in _FORMS if all(key in keys for key in form.needed) and all(map(form.may_have, keys)))


class _Usual(NamedTuple):
    """How objects with certain keys are decoded at once: ``value`` of what comes out is where the line is."""

    form: _Form
    key: str
    decode_text: Callable[[bytes], Any]
    decode_raw: Callable[[bytes], Any]


@lru_cache(64)
def _usual(keys: tuple[str, ...]) -> _Usual | None:
    """Return how to decode objects that have these keys and no others; None where the line may be a part, or is nowhere."""
    form = next(iter(_forms_of(keys)), None)
    if form is None or not _SPLITTING_KEYS.isdisjoint(keys) or set(keys) <= _DOCKER_KEYS:
        return None
    place = next((key for key in form.within if key in keys), None)
    return (
        None if place is None else _Usual(form, place, _decoder(keys, place, str), _decoder(keys, place, msgspec.Raw))
    )


def _decoder(keys: tuple[str, ...], place: str, kind: type) -> Callable[[bytes], Any]:
    others = [(f"other{i}", msgspec.Raw, msgspec.field(name=key)) for i, key in enumerate(keys) if key != place]
    fields = [("value", kind, msgspec.field(name=place)), *others]
    line = msgspec.defstruct("Line", fields, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(line).decode


def taken_off(line: bytes) -> Taken | None:
    """Return what is within a collector's object; None for any other. Raises ValueError, RecursionError for no JSON."""
    members = _members(line)
    for form in _forms_of(tuple(members)):
        for key in form.within:
            value = bytes(members[key]) if key in members else b""
            is_object = value.startswith(b"{")
            text = value if is_object else text_of_string(value) if value.startswith(b'"') else None
            if text is None:
                continue
            if (form.may_be_object or not is_object) and (not form.is_json or text.startswith(b"{")):
                part = _part(members) if form.envelope is kinds.FLUENTD else ()
                return Taken((form.envelope,), text, *part)
            break
    return None


def _part(members: dict[str, msgspec.Raw]) -> tuple[str | None, bool]:
    """Return the stream of a line, and whether its record goes on: Docker's fluentd driver and Fluent Bit's parsers say so."""
    if "partial_id" in members:
        return _word(members, "partial_id"), _word(members, "partial_last") != "true"
    if "stream" in members and ("logtag" in members or "_p" in members):
        return _word(members, "stream"), (_word(members, "logtag") or _word(members, "_p")) == "P"
    return None, False


def _word(members: dict[str, msgspec.Raw], key: str) -> str:
    value = bytes(members.get(key, b""))
    return value[1:-1].decode(errors="replace")[:128] if value.startswith(b'"') else ""

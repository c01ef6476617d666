"""The native line (design section 2): one JSON object a line, in the terms of the event itself.

There are two ways through. ``NativeParser.parse_line`` is the careful one: it alone says what a line means, and every
rejection comes from it. ``NativeParser.parse`` is the quick one. It decodes only what an event is made of, and only when
all of that is of the usual types; and since a log repeats itself, it looks up the normal form of nearly every value in a
plain dict, which costs a fraction of making it again. Whatever does not fit goes the careful way.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from parsers import rfc3339
from parsers.address import client_address, networks
from parsers.contract import BLANK, ENDPOINTS, IGNORED, OUTCOMES, Outcome, Reason, Rejection, Tags
from parsers.records import (
    RejectedError,
    chunks,
    decode,
    decode_record,
    decode_utf8_record,
    grant_name,
    identifier,
    is_utf8,
    known_action,
    lifetime,
    optional_text,
    required_text,
)
from parsers.redaction.identifiers import Identifiers
from parsers.redaction.lines import AllowedKeys, redact_line
from parsers.redaction.redact import UUID_CHARS, UUID_DASHES, Counts, plain_identifier, redact_scopes, redact_text
from parsers.text import normal_field, normal_tag
from parsers.vocabulary import ErrorMapping, ErrorRule, endpoint_of

NAME: Final = "native"
DAY_MS: Final = 86_400_000
KEPT: Final = AllowedKeys(
    (
        *("created_at", "action", "id", "user_id", "resource_type", "resource_id"),
        *("details.client_id", "details.grant_type", "details.scopes", "details.ip_address", "details.user_agent"),
        *("details.error", "details.expires_in", "details.realm", "details.endpoint"),
    )
)
"""What the rejected file may show of a line."""

_PADDING: Final = b" \t\r\0"
"""What may stand before and after a line and is no part of it. A writer that does not append leaves a hole of NUL bytes before
its first line after a truncation; a crash of the machine and writers of C strings leave them behind one."""
_BOM: Final = b"\xef\xbb\xbf"

_SECONDS: Final = {f"{second:02}": second * 1000 for second in range(61)}
"""``:60``, a leap second, is the first one of the next minute."""

_MEMORY_ENTRIES: Final = 10_000
_MEMORY_CHARS: Final = 256
"""Bounds of each memory: it is emptied when full, and long values are left out. A log of nothing but new values costs 25 MiB."""

K = TypeVar("K")
V = TypeVar("V")


class NativeParser:
    """Parses native lines. The rules are in this folder's README."""

    name = NAME
    version = "1"
    options = frozenset({"errors", "trusted_proxies", "public_identifiers"})

    def __init__(
        self,
        errors: Mapping[str, ErrorRule] | None = None,
        trusted_proxies: Iterable[str] = (),
        public_identifiers: Iterable[str] = (),
    ) -> None:
        """Raise ValueError for a bad option.

        ``errors``: an endpoint's own error texts; ``trusted_proxies``: networks; ``public_identifiers``: clients and users
        whose names look like secrets.
        """
        self.counts: dict[str, int] = {}
        """Of this object's life: ``addresses_invalid`` (written, but none) and ``redacted_<kind>``."""
        self._errors = ErrorMapping(errors or {})
        self._trusted = networks(trusted_proxies)
        self._identifiers = Identifiers(public_identifiers)
        self._rests: dict[str, rfc3339.Rest] = {}
        self._tags: dict[tuple[str | None, ...], tuple[Tags, str | None]] = {}
        self._users: dict[str | None, str | None] = {None: None}
        self._addresses: dict[str | None, str | None] = {None: None}
        self._agents: dict[str | None, str | None] = {None: None}
        self._scopes: dict[str | tuple[str, ...] | None, str | None] = {None: None}

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        return redact_line(line, KEPT)

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:  # noqa: C901, PLR0912, PLR0915  # see the docstring
        r"""Parse whole lines, one outcome a line; see ``parsers.contract.Parser``.

        The loop is long and plain on purpose: a call a value would double what it costs.
        """
        plain = plain_identifier
        rests, tags_of, users = self._rests, self._tags, self._users
        addresses, agents, scopes_of = self._addresses, self._agents, self._scopes
        minute, minute_ms = "", 0
        latest_ms = now_ms + DAY_MS
        outcomes: list[Outcome] = []
        add = outcomes.append
        record: Any  # what does not fit raises, and is read with care
        for chunk in chunks(data):
            decode_line = decode_record if chunk.isascii() or is_utf8(chunk) else decode_utf8_record
            printable = chunk.isascii() and b"\\" not in chunk and b"\x7f" not in chunk
            for line in chunk.split(b"\n"):
                try:
                    record = decode_line(line)
                    details = record.details
                    tags, detail = tags_of[
                        record.action,
                        details.client_id,
                        details.grant_type,
                        details.error,
                        details.realm,
                        details.endpoint,
                    ]
                    written = record.created_at
                    if written[:17] != minute:
                        minute_ms = self._read_second(written[:19]) - _SECONDS[written[17:19]]
                        minute = written[:17]
                    try:
                        ms, fraction = rests[written[19:]]
                    except KeyError:  # microseconds: too many to remember
                        ms, fraction = self._read_rest(written[19:])
                    time_ms = minute_ms + _SECONDS[written[17:19]] + ms
                    expires_in = details.expires_in
                    event_id = record.id
                    if 0 <= time_ms <= latest_ms:
                        # From here on nothing is wrong with the line, and what is left out is counted once.
                        if event_id is not None and not (  # an integer raises TypeError
                            (printable and event_id[UUID_DASHES] == "----" and len(event_id) == UUID_CHARS)
                            or plain(event_id)
                        ):
                            event_id = self._field(event_id, None, self._identifiers.redact)
                        user_id, address = record.user_id, details.ip_address
                        scopes, agent = details.scopes, details.user_agent
                        try:
                            user_id = users[user_id]
                        except KeyError:
                            user_id = self._read_user(user_id)
                        try:
                            ip = addresses[address]
                        except KeyError:
                            ip = self._read_address(address)
                        else:
                            if ip is None and address:
                                self._count("addresses_invalid")
                        try:
                            agent = agents[agent]
                        except KeyError:
                            agent = self._read_agent(agent)
                        try:
                            scopes = scopes_of[scopes]
                        except KeyError:
                            scopes = self._read_scopes(scopes)
                        add((time_ms, fraction, tags, user_id, ip, agent, scopes, expires_in, event_id, detail))
                        continue
                except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
                    pass  # something new, or something wrong
                add(self.parse_line(line, latest_ms))
        return outcomes

    def parse_line(self, line: bytes, latest_ms: int) -> Outcome:
        """Parse one line with care. ``latest_ms``: the latest time believed, Unix epoch in milliseconds."""
        text = line.strip(_PADDING).removeprefix(_BOM).strip(_PADDING)
        if not text:
            return Rejection(Reason.INVALID_JSON, "nothing but NUL bytes") if b"\0" in line else BLANK
        try:
            return self._read(decode(text), latest_ms)
        except RejectedError as error:
            return error.rejection

    def _read(self, record: Any, latest_ms: int) -> Outcome:
        if not isinstance(record, dict):
            raise RejectedError(Reason.NOT_AN_OBJECT, "the line")
        # The action comes first: a line that is not ours is not judged.
        written_action = required_text(record, "action")
        if not written_action.startswith("token."):
            return IGNORED
        action = known_action(written_action)
        written = required_text(record, "created_at")
        second = self._read_second(written[: rfc3339.SECOND_CHARS])
        rest = self._read_rest(written[rfc3339.SECOND_CHARS :])
        time_ms = second + rest.ms
        if not 0 <= time_ms <= latest_ms:
            raise RejectedError(Reason.OUT_OF_RANGE, "created_at: before 1970 or more than a day ahead")
        details = record.get("details")
        if details is None:
            details = {}
        elif not isinstance(details, dict):
            raise RejectedError(Reason.WRONG_TYPE, "details: not an object")
        tags, error_detail = self._read_tags(record, details, written_action, action)
        return (
            time_ms,
            rest.fraction,
            tags,
            self._read_user(identifier(record, "user_id")),
            self._read_address(optional_text(details, "ip_address", "details.ip_address")),
            self._read_agent(optional_text(details, "user_agent", "details.user_agent")),
            self._read_scopes(details.get("scopes")),
            lifetime(details.get("expires_in")),
            self._field(identifier(record, "id"), None, self._identifiers.redact),
            error_detail,
        )

    def _read_tags(
        self, record: dict[str, Any], details: dict[str, Any], written_action: str, action: str
    ) -> tuple[Tags, str | None]:
        client_id = identifier(details, "client_id", "details.client_id")
        grant_type = optional_text(details, "grant_type", "details.grant_type")
        error_text = optional_text(details, "error", "details.error")
        realm = optional_text(details, "realm", "details.realm")
        endpoint = optional_text(details, "endpoint", "details.endpoint")
        key = (written_action, client_id, grant_type, error_text, realm, endpoint)
        if key in self._tags:
            return self._tags[key]
        redactions = self._redactions()
        client = self._tag(client_id)
        by_resource = not client
        if by_resource:
            client = self._tag(identifier(record, "resource_id"))
            if not client:
                raise RejectedError(Reason.MISSING_KEY, "details.client_id, or else resource_id")
        error, error_detail = "", None
        grant = grant_name(action, grant_type)  # of the written action: an error text may change it
        if error_text and error_text.strip():
            error, error_detail, action = self._errors.read(error_text, action, self.counts)
        tags = Tags(
            action=action,
            client_id=client,
            endpoint=endpoint if endpoint in ENDPOINTS else endpoint_of(action),
            error=error,
            grant_type=grant,
            outcome=OUTCOMES[action],
            realm=self._tag(realm),
        )
        if not by_resource and redactions == self._redactions():
            _remember(self._tags, key, (tags, error_detail))
        return tags, error_detail

    def _read_user(self, user_id: str | int | None) -> str | None:
        return self._field(None if user_id is None else str(user_id), self._users, self._identifiers.read, user_id)

    def _read_agent(self, text: str | None) -> str | None:
        return self._field(text, self._agents, redact_text)

    def _read_address(self, text: str | None) -> str | None:
        if text in self._addresses:
            ip = self._addresses[text]
        else:
            ip = client_address(text, self._trusted) if text else None
            _remember(self._addresses, text, ip)
        if text and ip is None:
            self._count("addresses_invalid")
        return ip

    def _read_scopes(self, scopes: Any) -> str | None:
        if scopes is None or isinstance(scopes, str):
            key: Any = scopes
        elif isinstance(scopes, list | tuple) and all(isinstance(scope, str) for scope in scopes):
            key = tuple(scopes)
            scopes = " ".join(scopes)
        else:
            raise RejectedError(Reason.WRONG_TYPE, "details.scopes: neither a list of strings nor a string")
        return self._field(scopes and " ".join(filter(None, scopes.split(" "))), self._scopes, redact_scopes, key)

    def _read_second(self, text: str) -> int:
        second = rfc3339.parse_second(text)
        if second is None:
            raise RejectedError(Reason.BAD_TIMESTAMP, "created_at: not an RFC 3339 timestamp")
        return second

    def _read_rest(self, text: str) -> rfc3339.Rest:
        rest = rfc3339.parse_rest(text)
        if rest is None:
            raise RejectedError(Reason.BAD_TIMESTAMP, "created_at: not an RFC 3339 timestamp")
        if rest.fraction is None or len(rest.fraction) < 3:
            _remember(self._rests, text, rest)
        return rest

    def _tag(self, text: str | None) -> str:
        return normal_tag(self._identifiers.read(text, self.counts)) if text else ""

    def _field(
        self,
        text: str | None,
        memory: dict[Any, str | None] | None,
        redact: Callable[[str, Counts], str],
        key: Any = None,
    ) -> str | None:
        if text is None:
            if memory is not None:
                memory[None] = None  # it may have been emptied
            return None
        if key is None:
            key = text
        if memory is not None and key in memory:
            return memory[key]
        redacted = redact(text, self.counts)
        value = normal_field(redacted) or None
        if memory is not None and "[redacted:" not in redacted:  # what is redacted is counted every time
            _remember(memory, key, value)
        return value

    def _redactions(self) -> int:
        return sum(self.counts.values())

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


PARSER: Final = NativeParser


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    size = len(key) if isinstance(key, str) else sum(len(part) for part in key if part) if isinstance(key, tuple) else 0
    if size > _MEMORY_CHARS:
        return
    if len(memory) >= _MEMORY_ENTRIES:
        memory.clear()
    memory[key] = value

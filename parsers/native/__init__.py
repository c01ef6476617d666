"""The native line (design section 2): one JSON object a line, in the terms of the event itself.

There are two ways through. ``NativeParser.parse_line`` is the careful one: it alone says what a line means, and every
rejection comes from it. ``NativeParser.parse`` is the quick one. It decodes only what an event is made of, and only when
all of that is of the usual types; and since a log repeats itself, it looks up the normal form of nearly every value in a
plain dict, which costs a fraction of making it again. Whatever does not fit goes the careful way.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from parsers import rfc3339
from parsers.builder import DAY_MS, EventBuilder
from parsers.contract import IGNORED, Outcome, Reason
from parsers.memory import remember
from parsers.native.usual import decode_record, decode_utf8_record
from parsers.records import (
    RejectedError,
    chunks,
    decode,
    empty_line,
    identifier_text,
    is_utf8,
    known_action,
    required_text,
    stripped,
)
from parsers.redaction.lines import AllowedKeys, redact_line
from parsers.redaction.redact import UUID_CHARS, UUID_DASHES, plain_identifier
from parsers.vocabulary import ErrorRule

NAME: Final = "native"
KEPT: Final = AllowedKeys(
    (
        *("created_at", "action", "id", "user_id", "resource_type", "resource_id"),
        *("details.client_id", "details.grant_type", "details.scopes", "details.ip_address", "details.user_agent"),
        *("details.error", "details.expires_in", "details.realm", "details.endpoint"),
    )
)
"""What the rejected file may show of a line."""

_NAMES: Final = {
    "time": "created_at",
    "event_id": "id",
    "ip": "details.ip_address",
    "missing_client": "details.client_id, or else resource_id",
    **{
        name: f"details.{name}"
        for name in ("client_id", "grant_type", "scopes", "user_agent", "error", "expires_in", "realm", "endpoint")
    },
}

_SECONDS: Final = {f"{second:02}": second * 1000 for second in range(61)}
"""``:60``, a leap second, is the first one of the next minute."""


class NativeParser:
    """Parses native lines. The rules are in this folder's README."""

    name = NAME
    version = "2"
    options = EventBuilder.OPTIONS

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
        self._builder = EventBuilder(errors, trusted_proxies, public_identifiers, _NAMES)
        self.counts = self._builder.counts
        """Of this object's life: ``addresses_invalid`` (written, but none) and ``redacted_<kind>``."""
        self._rests: dict[str, rfc3339.Rest] = {}

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        return redact_line(line, KEPT)

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:  # noqa: C901, PLR0912, PLR0915  # see the docstring
        r"""Parse whole lines, one outcome a line; see ``parsers.contract.Parser``.

        The loop is long and plain on purpose: a call a value would double what it costs.
        """
        plain = plain_identifier
        builder, rests = self._builder, self._rests
        tags_of, users, addresses = builder.tags_of, builder.users, builder.addresses
        agents, scopes_of = builder.agents, builder.scopes_of
        minute, minute_ms = "", 0
        latest_ms = now_ms + DAY_MS
        outcomes: list[Outcome] = []
        add = outcomes.append
        record: Any  # what does not fit raises, and is read with care
        for chunk in chunks(data):
            decode_line = decode_record if is_utf8(chunk) else decode_utf8_record
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
                            event_id = builder.read_event_id(event_id)
                        user_id, address = record.user_id, details.ip_address
                        scopes, agent = details.scopes, details.user_agent
                        try:
                            user_id = users[user_id]
                        except KeyError:
                            user_id = builder.read_user(user_id)
                        try:
                            ip = addresses[address]
                        except KeyError:
                            ip = builder.read_address(address)
                        else:
                            if ip is None and address:
                                builder.count_invalid_address()
                        try:
                            agent = agents[agent]
                        except KeyError:
                            agent = builder.read_agent(agent)
                        try:
                            scopes = scopes_of[scopes]
                        except KeyError:
                            scopes = builder.read_scopes(scopes)
                        add((time_ms, fraction, tags, user_id, ip, agent, scopes, expires_in, event_id, detail))
                        continue
                except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
                    pass  # something new, or something wrong
                add(self.parse_line(line, latest_ms))
        return outcomes

    def parse_line(self, line: bytes, latest_ms: int) -> Outcome:
        """Parse one line with care. ``latest_ms``: the latest time believed, Unix epoch in milliseconds."""
        text = stripped(line)
        if not text:
            return empty_line(line)
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
        self._builder.check_time(time_ms, latest_ms)
        details = record.get("details")
        if details is None:
            details = {}
        elif not isinstance(details, dict):
            raise RejectedError(Reason.WRONG_TYPE, "details: not an object")
        tags = self._builder.read_tags(
            written_action,
            action,
            details.get("client_id"),
            details.get("grant_type"),
            details.get("error"),
            details.get("realm"),
            details.get("endpoint"),
            other_client=lambda: identifier_text(record.get("resource_id"), "resource_id"),
        )
        return self._builder.row(
            (time_ms, rest.fraction),
            tags,
            user_id=record.get("user_id"),
            ip=details.get("ip_address"),
            user_agent=details.get("user_agent"),
            scopes=details.get("scopes"),
            expires_in=details.get("expires_in"),
            event_id=record.get("id"),
        )

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
            remember(self._rests, text, rest)
        return rest


PARSER: Final = NativeParser

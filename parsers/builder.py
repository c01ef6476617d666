"""From what a line says to an event: cleaned, in normal form, redacted and capped, whoever asks.

A provider's parser gives ``EventBuilder.event`` what it found, as it found it, and cannot forget a secret. The native parser, which has
no time for a call a value, takes the same functions apart: it looks into the builder's memories first, since a log repeats
itself, and calls the function of a value only for what is not in its memory.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parsers import rfc3339
from parsers.address import client_address, networks
from parsers.contract import CLIENT_REQUIRED, ENDPOINTS, OUTCOMES, EventRow, Outcome, Reason, Tags
from parsers.memory import remember
from parsers.records import (
    RejectedError,
    grant_name,
    identifier_text,
    integral,
    known_action,
    lifetime,
    required,
    text_or_none,
)
from parsers.redaction.identifiers import Identifiers
from parsers.redaction.redact import Counts, plain_identifier, redact_scopes, redact_text
from parsers.rfc3339 import Written
from parsers.text import normal_field, normal_tag
from parsers.vocabulary import ErrorMapping, ErrorRule, endpoint_of

DAY_MS: Final = 86_400_000
"""A line may be written so much ahead of our clock."""


class EventBuilder:
    """Makes events. One for each parser object: it holds what the parser counts, and its options."""

    OPTIONS: Final = frozenset({"errors", "trusted_proxies", "public_identifiers"})
    """The options that decide what it makes: those of any parser that uses it."""

    def __init__(
        self,
        errors: Mapping[str, ErrorRule] | None = None,
        trusted_proxies: Iterable[str] = (),
        public_identifiers: Iterable[str] = (),
        names: Mapping[str, str] | None = None,
        *,
        clients_unknown: bool = False,
    ) -> None:
        """Raise ValueError for a bad option.

        ``errors``: an endpoint's own error texts; ``trusted_proxies``: networks; ``public_identifiers``: clients and users
        whose names look like secrets. ``names``: what the provider calls the arguments of ``event``, so that the detail of a
        rejection names what people find in the line; ``missing_client`` where a client may stand in several places.
        ``clients_unknown``: the provider's log never names a client, so no line is rejected for want of one.
        """
        self.counts: dict[str, int] = {}
        """Of this object's life: ``addresses_invalid`` (written, but none) and ``redacted_<kind>``."""
        self._errors = ErrorMapping(errors or {})
        self._trusted = networks(trusted_proxies)
        self._identifiers = Identifiers(public_identifiers)
        self._names = names or {}
        self._clients_unknown = clients_unknown
        self._read_written = rfc3339.Reader().read
        self.tags_of: dict[tuple[str | None, ...], tuple[Tags, str | None]] = {}
        self.users: dict[str | None, str | None] = {None: None}
        self.addresses: dict[str | None, str | None] = {None: None}
        self.agents: dict[str | None, str | None] = {None: None}
        self.details: dict[str | None, str | None] = {None: None}
        self.scopes_of: dict[str | tuple[str, ...] | None, str | None] = {None: None}

    def event(
        self,
        now_ms: int,
        *,
        time: Any,
        action: Any,
        client_id: Any = None,
        user_id: Any = None,
        grant_type: Any = None,
        scopes: Any = None,
        ip: Any = None,
        user_agent: Any = None,
        error: Any = None,
        error_detail: Any = None,
        expires_in: Any = None,
        event_id: Any = None,
        realm: Any = None,
        endpoint: Any = None,
    ) -> Outcome:
        """Return the event, or the rejection of what is missing or wrong. Values are taken as they stand in the line.

        ``time``: RFC 3339 text, an integer of milliseconds since the Unix epoch, or a ``parsers.rfc3339.Written``. ``action``: a key
        of ``parsers.contract.OUTCOMES``; any other grant behind ``token.issued.`` is ``other``. ``client_id``, ``user_id`` and
        ``event_id``: text or integers. ``scopes``: a list of texts, or text with spaces. ``ip``: an address, or what a forwarded
        header holds. ``error``: a word of ``parsers.contract.ERRORS``, or the provider's own text. ``error_detail``: the
        provider's own words beside a word of the closed set. ``expires_in``: seconds. All
        but the time and the action may be None, and the client where the action is none of ``CLIENT_REQUIRED``.
        """
        try:
            written_action, known = action, action
            if action.__class__ is not str or action not in OUTCOMES:
                written_action = required(self._text("action", action), self._name("action"))
                known = known_action(written_action, self._name("action"))
            written = self._read_time(time)
            self.check_time(written[0], now_ms + DAY_MS)
            tags = self.read_tags(written_action, known, client_id, grant_type, error, realm, endpoint)
            detail = None if error_detail is None else self.read_detail(self._text("error_detail", error_detail))
            return self.row(
                written,
                (tags[0], normal_field(f"{tags[1]}: {detail}") if tags[1] and detail else tags[1] or detail),
                user_id=user_id,
                ip=ip,
                user_agent=user_agent,
                scopes=scopes,
                expires_in=expires_in,
                event_id=event_id,
            )
        except RejectedError as rejected:
            return rejected.rejection

    def row(
        self,
        time: Written,
        tags: tuple[Tags, str | None],
        *,
        user_id: Any,
        ip: Any,
        user_agent: Any,
        scopes: Any,
        expires_in: Any,
        event_id: Any,
    ) -> EventRow:
        """Return the event with this time and these tags. Raises RejectedError for a value of another type."""
        user_id = self._identifier("user_id", user_id)
        try:  # what was there before, as it stands: but for users the memories know texts alone
            user, address, agent = self.users[user_id], self.addresses[ip], self.agents[user_agent]
            granted = self.scopes_of[tuple(scopes) if scopes.__class__ is list else scopes]
        except (KeyError, TypeError):
            user = self.read_user(user_id)
            address = self.read_address(self._text("ip", ip))
            agent = self.read_agent(self._text("user_agent", user_agent))
            granted = self.read_scopes(scopes)
        else:
            if ip and address is None:
                self.count_invalid_address()
        if expires_in is not None:
            expires_in = lifetime(expires_in, self._name("expires_in"))
        if event_id is not None and not (event_id.__class__ is str and plain_identifier(event_id)):
            event_id = self.read_event_id(self._identifier("event_id", event_id))
        return (*time, tags[0], user, address, agent, granted, expires_in, event_id, tags[1])

    def check_time(self, time_ms: int, latest_ms: int) -> None:
        """Raise RejectedError for a time that is not to be believed; milliseconds since the Unix epoch."""
        if not 0 <= time_ms <= latest_ms:
            raise RejectedError(Reason.OUT_OF_RANGE, f"{self._name('time')}: before 1970 or more than a day ahead")

    def read_tags(
        self,
        written_action: str,
        action: str,
        client_id: Any,
        grant_type: Any,
        error: Any,
        realm: Any,
        endpoint: Any,
        *,
        other_client: Callable[[], str | None] | None = None,
    ) -> tuple[Tags, str | None]:
        """Return the tags and ``error_detail``. Raises RejectedError for want of a client, and for a value of another type.

        ``action``: what ``written_action`` is in the vocabulary. ``other_client``: asked for the client when ``client_id`` is none.
        """
        try:  # what was there before, as above
            return self.tags_of[written_action, client_id, grant_type, error, realm, endpoint]
        except (KeyError, TypeError):
            pass
        client_id = self._identifier("client_id", client_id)
        grant_type, error_text = self._text("grant_type", grant_type), self._text("error", error)
        realm, endpoint = self._text("realm", realm), self._text("endpoint", endpoint)
        key = (written_action, client_id, grant_type, error_text, realm, endpoint)
        if key in self.tags_of:
            return self.tags_of[key]
        redactions = self._redactions()
        client = self._tag(client_id)
        by_other = not client and other_client is not None
        if not client and other_client:
            client = self._tag(other_client())
        word, error_detail = "", None
        grant = grant_name(action, grant_type)  # of the written action: an error text may change it
        if error_text and error_text.strip():
            word, error_detail, action = self._errors.read(error_text, action, self.counts)
        if not client and action in CLIENT_REQUIRED and not self._clients_unknown:
            raise RejectedError(Reason.MISSING_KEY, self._names.get("missing_client", self._name("client_id")))
        tags = Tags(
            action=action,
            client_id=client,
            endpoint=endpoint if endpoint in ENDPOINTS else endpoint_of(action),
            error=word,
            grant_type=grant,
            outcome=OUTCOMES[action],
            realm=self._tag(realm),
        )
        if not by_other and redactions == self._redactions():
            remember(self.tags_of, key, (tags, error_detail))
        return tags, error_detail

    def read_user(self, user_id: str | int | None) -> str | None:
        """Return the field ``user_id``."""
        return self._field(None if user_id is None else str(user_id), self.users, self._identifiers.read, user_id)

    def read_event_id(self, event_id: str | None) -> str | None:
        """Return the field ``event_id``."""
        return self._field(event_id, None, self._identifiers.redact)

    def read_agent(self, text: str | None) -> str | None:
        """Return the field ``user_agent``."""
        return self._field(text, self.agents, redact_text)

    def read_detail(self, text: str | None) -> str | None:
        """Return the field ``error_detail``: what the provider says of an error beside a word of ``ERRORS``."""
        return self._field(text, self.details, redact_text)

    def read_address(self, text: str | None) -> str | None:
        """Return the field ``ip``; what is no address is absent, and counted."""
        if text in self.addresses:
            ip = self.addresses[text]
        else:
            ip = client_address(text, self._trusted) if text else None
            remember(self.addresses, text, ip)
        if text and ip is None:
            self.count_invalid_address()
        return ip

    def count_invalid_address(self) -> None:
        """Count what was written as an address and is none."""
        self.counts["addresses_invalid"] = self.counts.get("addresses_invalid", 0) + 1

    def read_scopes(self, scopes: Any) -> str | None:
        """Return the field ``scopes``. Raises RejectedError for what is neither a list of strings nor a string."""
        if scopes is None or isinstance(scopes, str):
            key: Any = scopes
        elif isinstance(scopes, list | tuple) and all(isinstance(scope, str) for scope in scopes):
            key = tuple(scopes)
            if key in self.scopes_of:
                return self.scopes_of[key]
            scopes = " ".join(scopes)
        else:
            raise RejectedError(Reason.WRONG_TYPE, f"{self._name('scopes')}: neither a list of strings nor a string")
        return self._field(scopes and " ".join(filter(None, scopes.split(" "))), self.scopes_of, redact_scopes, key)

    def _read_time(self, time: Any) -> Written:
        if time.__class__ is not str:
            if time.__class__ is tuple:
                return time
            if (milliseconds := integral(time)) is not None:
                return milliseconds, None
            time = required(self._text("time", time), self._name("time"))
        written = self._read_written(time)
        if written is None:
            raise RejectedError(Reason.BAD_TIMESTAMP, f"{self._name('time')}: not an RFC 3339 timestamp")
        return written

    def _name(self, argument: str) -> str:
        return self._names.get(argument, argument)

    def _text(self, argument: str, value: object) -> str | None:
        return value if value is None or isinstance(value, str) else text_or_none(value, self._name(argument))

    def _identifier(self, argument: str, value: object) -> str | None:
        return value if value is None or isinstance(value, str) else identifier_text(value, self._name(argument))

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
            remember(memory, key, value)
        return value

    def _redactions(self) -> int:
        return sum(self.counts.values())

"""From what a line says to an event: cleaned, in normal form, redacted and capped, whoever asks.

A provider's parser gives ``EventBuilder.event`` what it found, as it found it, and cannot forget a secret. The native parser, which has
no time for a call a value, takes the same functions apart: it looks into the builder's memories first, since a log repeats
itself, and calls the function of a value only for what is not in its memory.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parsers import rfc3339
from parsers.contract import CLIENT_REQUIRED, ENDPOINTS, OUTCOMES, EventRow, Outcome, Reason, Tags
from parsers.memory import remember
from parsers.records import EXPIRES_IN_MAX, RejectedError, grant_name, integral, known_action, lifetime, required
from parsers.redaction.redact import plain_identifier
from parsers.rfc3339 import Written
from parsers.text import normal_field
from parsers.values import Values
from parsers.vocabulary import ErrorMapping, ErrorRule, endpoint_of

DAY_MS: Final = 86_400_000
"""A line may be written so much ahead of our clock."""


class EventBuilder(Values):
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
        super().__init__(trusted_proxies, public_identifiers, names or {})
        self._errors = ErrorMapping(errors or {})
        self._clients_unknown = clients_unknown
        self._read_written = rfc3339.Reader().read
        self.tags_of: dict[tuple[str | None, ...], tuple[Tags, str | None]] = {}

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
        try:  # what was there before, as it stands: the memories know texts alone
            tags, detail = self.tags_of[action, client_id, grant_type, error, realm, endpoint]
            if error_detail is not None:
                detail = _both(detail, self.details[error_detail])
            user, address, agent = self.users[user_id], self.addresses[ip], self.agents[user_agent]
            granted = self.scopes_of[scopes]
        except (KeyError, TypeError):
            pass
        else:
            kind = time.__class__
            written = self._read_written(time) if kind is str else (time, None) if kind is int else time
            if (
                written.__class__ is tuple
                and 0 <= written[0] <= now_ms + DAY_MS
                and (address is not None or not ip)  # one that is none is counted
                and (expires_in is None or (expires_in.__class__ is int and 0 <= expires_in <= EXPIRES_IN_MAX))
                and (event_id is None or (event_id.__class__ is str and plain_identifier(event_id)))
            ):
                return (*written, tags, user, address, agent, granted, expires_in, event_id, detail)
        try:
            written_action, known = action, action
            if action.__class__ is not str or action not in OUTCOMES:
                written_action = required(self._text("action", action), self._name("action"))
                known = known_action(written_action, self._name("action"))
            written = self._read_time(time)
            self.check_time(written[0], now_ms + DAY_MS)
            tags, detail = self.read_tags(written_action, known, client_id, grant_type, error, realm, endpoint)
            if error_detail is not None:
                detail = _both(detail, self.read_detail(self._text("error_detail", error_detail)))
            return self.row(
                written,
                (tags, detail),
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
        if user_id is not None and user_id.__class__ is not str:
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


def _both(detail: str | None, words: str | None) -> str | None:
    """Return what the log says of an error: its word, if that is none of ours, and the provider's words."""
    return normal_field(f"{detail}: {words}") if detail and words else detail or words

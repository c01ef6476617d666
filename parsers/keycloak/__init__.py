"""Keycloak's log and events. What becomes of which line is in this folder's README."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

from parsers.builder import DAY_MS, EventBuilder
from parsers.contract import IGNORED, Outcome, Reason
from parsers.keycloak.advice import advice_on
from parsers.keycloak.clock import Clock, milliseconds
from parsers.keycloak.fields import Fields
from parsers.keycloak.meaning import ALREADY_USED, operation_of
from parsers.keycloak.message import Messages, read_message, type_of
from parsers.keycloak.plain import is_keycloaks, read_line
from parsers.keycloak.record import Record, decode_record, decode_with_care
from parsers.keycloak.translation import Translator
from parsers.records import RejectedError, chunks, empty_line, is_utf8, stripped
from parsers.redaction.lines import AllowedKeys, redact_line
from parsers.vocabulary import ErrorRule

EVENTS: Final = "org.keycloak.events"
"""The logger of events."""
CODES: Final = "org.keycloak.protocol.oidc.utils.OAuth2CodeParser"
"""The logger that alone tells of a code that was used before."""
KEYS: Final = (b'"loggerName":', b'"log.logger":', b'"realmId":')
"""One of them is in each record."""
LOOK_BYTES: Final = 1024
LOGGERS: Final = frozenset({EVENTS, CODES})
KEPT: Final = AllowedKeys(
    (
        *("timestamp", "@timestamp", "loggerName", "log.logger", "level", "log.level", "time", "type", "operationType"),
        *("realmId", "realmName", "clientId", "userId", "ipAddress", "error", "grant_type", "refresh_token_type"),
    )
)
"""What may be shown of a rejected line: no user name, which people type their password into, and no reason, which quotes."""

_NAMES: Final = {
    "time": "timestamp",
    "client_id": "clientId",
    "user_id": "userId",
    "ip": "ipAddress",
    "scopes": "scope",
}


class KeycloakParser:
    """Parses Keycloak's log, as JSON or plain text, and events of its REST interface."""

    name = "keycloak"
    version = "1"
    options = EventBuilder.OPTIONS | {"realms", "log_time_zone"}

    def __init__(
        self,
        errors: Mapping[str, ErrorRule] | None = None,
        trusted_proxies: Iterable[str] = (),
        public_identifiers: Iterable[str] = (),
        realms: Mapping[str, str] | None = None,
        log_time_zone: str = "UTC",
    ) -> None:
        """Raise ValueError for a bad option. ``realms``: names by ``realmId``; ``log_time_zone``: of times without a zone."""
        builder = EventBuilder(errors, trusted_proxies, public_identifiers, _NAMES)
        self.counts = builder.counts
        self._translator = Translator(builder, realms or {})
        self._clock = Clock(log_time_zone)
        self._messages = Messages()

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line; see ``parsers.contract.Parser``."""
        latest_ms = now_ms + DAY_MS
        outcomes: list[Outcome] = []
        for chunk in chunks(data):
            sound = is_utf8(chunk)
            for line in BytesIO(chunk + b"\n"):  # finds the ends of long lines many times faster than ``split``
                try:
                    outcomes.append(self._line(line, latest_ms, sound=sound))
                except RejectedError as error:
                    outcomes.append(error.rejection)
        return outcomes

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep: up to the name of the user, in whose place people type passwords."""
        before, name, _ = line.partition(b"username")
        return redact_line(before + b"username=[masked]" if name else line, KEPT)

    def recognises(self, line: bytes) -> bool:
        """Whether a line may be of Keycloak's log, or an event of its REST interface."""
        text = stripped(line[:LOOK_BYTES])
        if text[:1] == b"{":
            return any(key in text for key in KEYS)
        return is_keycloaks(text.decode(errors="replace")) or b"[" + EVENTS.encode() in text

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what should be set otherwise in Keycloak; see ``parsers.contract.Adviser``."""
        return advice_on(lines)

    def _line(self, line: bytes, latest_ms: int, *, sound: bool) -> Outcome:
        if sound and line[:1] == b"{":
            try:
                return self._record(decode_record(line), latest_ms)
            except RejectedError:
                raise
            except (ValueError, RecursionError):
                pass  # of other types, or no JSON
        text = stripped(line)
        if not text:
            return empty_line(line)
        if text[:1] in b'{["':
            return self._record(decode_with_care(text), latest_ms)
        return self._plain(text, latest_ms)

    def _record(self, record: Record, latest_ms: int) -> Outcome:
        """Read a line of JSON."""
        logger = record.loggerName or record.ecs_logger
        if logger is None:
            return self._represented(record, latest_ms)
        if logger not in LOGGERS:
            return IGNORED
        message = record.message
        if message is None:
            raise RejectedError(Reason.MISSING_KEY, "message")
        said = self._said(message) if logger == EVENTS else code_reuse(message, record.mdc or {})
        if said is None:
            return IGNORED
        written = record.timestamp or record.ecs_timestamp
        if written is None:
            raise RejectedError(Reason.MISSING_KEY, "timestamp")
        return self._translator.event(said, written, self._clock.rfc3339, latest_ms)

    def _represented(self, record: Record, latest_ms: int) -> Outcome:
        """Read an event as the REST interface gives it."""
        if record.realmId is None or (record.type is None and record.operationType is None):
            raise RejectedError(Reason.MISSING_KEY, "loggerName, or else type and realmId")
        if record.type is None or operation_of(record.type) is None:
            return IGNORED
        if record.time is None:
            raise RejectedError(Reason.MISSING_KEY, "time")
        return self._translator.event(record.fields(), record.time, milliseconds, latest_ms, record.id)

    def _plain(self, text: bytes, latest_ms: int) -> Outcome:
        """Read a line of plain text."""
        try:
            line = read_line(text.decode())
        except UnicodeDecodeError as error:
            raise RejectedError(Reason.INVALID_UTF8, f"not UTF-8 at byte {error.start}") from None
        if line is None:
            return IGNORED
        written, logger, message = line
        if logger not in LOGGERS:
            return IGNORED
        said = self._said(message, may_be_cut=True) if logger == EVENTS else code_reuse(message, {})
        return IGNORED if said is None else self._translator.event(said, written, self._clock.local, latest_ms)

    def _said(self, message: str, *, may_be_cut: bool = False) -> tuple[Any, ...] | None:
        """Return the ``Fields`` of a message, None for one that is about no token. Raises RejectedError."""
        if not message.startswith("type="):
            return None  # an administrator's
        fields = self._messages.find(message)
        if fields is not None:
            return fields
        type_ = type_of(message)
        return None if type_ and operation_of(type_) is None else read_message(message, may_be_cut=may_be_cut)


def code_reuse(message: str, context: Mapping[str, Any]) -> Fields | None:
    """Return what a line about a code says, as if it were an event; None when the code was not used before.

    ``context``: what Keycloak knows beside the message, where its feature ``log-mdc`` is on.
    """
    if not (message.startswith("Code '") and "' already used for userSession '" in message):
        return None
    known = {key: value for key, value in context.items() if isinstance(value, str)}
    return Fields(
        type="CODE_TO_TOKEN_ERROR",
        error=ALREADY_USED,
        realm_name=known.get("kc.realmName"),
        client_id=known.get("kc.clientId"),
        ip_address=known.get("kc.ipAddress"),
    )


PARSER: Final = KeycloakParser

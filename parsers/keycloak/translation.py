"""From what Keycloak says to events. A log repeats itself, so nearly all parts of one are remembered."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome, Reason, Tags
from parsers.keycloak.meaning import SERVICE_ACCOUNT, meaning_of
from parsers.memory import remember
from parsers.records import EXPIRES_IN_MAX, RejectedError
from parsers.rfc3339 import Written

_NULL: Final = "null"
"""How Keycloak writes what is not there."""
_BECAUSE_CHARS: Final = 64
"""No rule asks for more of a reason."""
_EPOCH_SECONDS: Final = 1_000_000_000
"""A lifetime is less; more is the time at which it ends."""

T = TypeVar("T")


class Told(NamedTuple):
    """What an event tells, apart from what differs each time."""

    tags: Tags
    error_detail: str | None
    has_person: bool
    """Whether its user is one, not the service account of a client."""


class Translator:
    """Makes events of what Keycloak says (``Fields``)."""

    def __init__(self, builder: EventBuilder, realms: Mapping[str, str]) -> None:
        """``realms``: names by ``realmId``."""
        self._builder = builder
        self._realms = realms
        self._told: dict[tuple[str | None, ...], Told | None] = {}

    def event(
        self,
        fields: tuple[Any, ...],
        written: T,
        read_time: Callable[[T], Written | None],
        latest_ms: int,
        event_id: str | None = None,
    ) -> Outcome:
        """Return the event, IGNORED for no token operation. Raises RejectedError. ``written``: its time, as ``read_time`` takes it."""
        type_, realm_id, realm, client, user, ip, error, reason, detail, grant, scope, username, sub, lifetime = fields
        if user == _NULL or not user:
            user = sub
        if realm == _NULL or not realm:
            realm = realm_id
        name = None if username is None else "sent"
        key = (type_, realm, client, error, reason or detail, grant, user and "known", name)
        try:
            told = self._told[key]
        except KeyError:
            told = self._tell(*key)
            if told is None or "[redacted:" not in f"{told.tags}{told.error_detail}":  # which is counted every time
                remember(self._told, key, told)
        if told is None:
            return IGNORED
        builder = self._builder
        time = read_time(written)
        if time is None:
            raise RejectedError(Reason.BAD_TIMESTAMP, "timestamp: not a time")
        time_ms, fraction = time
        if not 0 <= time_ms <= latest_ms:
            builder.check_time(time_ms, latest_ms)
        tags, error_detail, has_person = told
        expires_in = None if lifetime is None else _seconds(lifetime, time_ms)
        try:  # what was there before
            scopes = builder.scopes_of[scope]
            address = builder.addresses[ip]
            person = builder.users[user] if has_person else None
            if event_id is None and (address is not None or not ip):
                return (time_ms, fraction, tags, person, address, None, scopes, expires_in, None, error_detail)
        except KeyError:
            pass
        return builder.row(
            time,
            (tags, error_detail),
            user_id=user if has_person else None,
            ip=ip,
            user_agent=None,
            scopes=scope,
            expires_in=expires_in,
            event_id=event_id,
        )

    def _tell(
        self,
        type_: str,
        realm: str | None,
        client: str | None,
        error: str | None,
        because: str | None,
        grant: str | None,
        user: str | None,
        username: str | None,
    ) -> Told | None:
        client = None if client == _NULL else client
        known = (bool(user), username is not None, bool(client))
        meaning = meaning_of(type_, error, (because or "")[:_BECAUSE_CHARS], grant, known)
        if meaning is None:
            return None
        action, endpoint, grant, word = meaning
        realm = self._realms.get(realm, realm) if realm else None
        tags, detail = self._builder.read_tags(action, action, client, grant, word, realm, endpoint)
        said = f"{because} ({error})" if because else error
        if word and said != word:
            detail = self._builder.read_detail(said)
        return Told(tags, detail, type_ not in SERVICE_ACCOUNT)


def _seconds(lifetime: str, time_ms: int) -> int | None:
    """Return a token's lifetime. What is written is it, or the time at which it ends; what is neither is absent."""
    if not (lifetime.isascii() and lifetime.isdigit()) or len(lifetime) > len(str(EXPIRES_IN_MAX)):
        return None
    seconds = int(lifetime)
    if seconds >= _EPOCH_SECONDS:
        seconds -= time_ms // 1000
    return seconds if 0 <= seconds <= EXPIRES_IN_MAX else None

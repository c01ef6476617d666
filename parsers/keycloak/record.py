"""The records that Keycloak writes as JSON: a line of its log, in two forms, and an event as its REST interface gives it."""

import re
from typing import Any, Final

import msgspec

from parsers.contract import Reason
from parsers.keycloak.fields import Fields
from parsers.records import RejectedError, decode


class Details(msgspec.Struct, gc=False):
    """``details`` of an event of the REST interface."""

    reason: str | None = None
    detail: str | None = None
    grant_type: str | None = None
    scope: str | None = None
    username: str | None = None
    refresh_token_sub: str | None = None
    access_token_expiration_time: str | None = None


_NO_DETAILS: Final = Details()


class Record(msgspec.Struct, gc=False, rename={"ecs_timestamp": "@timestamp", "ecs_logger": "log.logger"}):
    """What an event is made of. Keys of other forms are absent."""

    timestamp: str | None = None
    loggerName: str | None = None  # noqa: N815 - Keycloak's names, as those below
    message: str | None = None
    ecs_timestamp: str | None = None
    ecs_logger: str | None = None
    mdc: dict[str, Any] | None = None
    operationType: str | None = None  # noqa: N815
    id: str | None = None
    time: int | None = None
    type: str | None = None
    realmId: str | None = None  # noqa: N815
    clientId: str | None = None  # noqa: N815
    userId: str | None = None  # noqa: N815
    ipAddress: str | None = None  # noqa: N815
    error: str | None = None
    details: Details | None = None

    def fields(self) -> Fields:
        """Return what an event of the REST interface says."""
        more = self.details or _NO_DETAILS
        return Fields(
            type=self.type or "",
            realm_id=self.realmId,
            realm_name=None,
            client_id=self.clientId,
            user_id=self.userId,
            ip_address=self.ipAddress,
            error=self.error,
            reason=more.reason,
            detail=more.detail,
            grant_type=more.grant_type,
            scope=more.scope,
            username=more.username,
            refresh_token_sub=more.refresh_token_sub,
            lifetime=more.access_token_expiration_time,
        )


_PLACE: Final = re.compile(r"`\$\.?([\w.@\[\]]*)`$")

decode_record: Final = msgspec.json.Decoder(Record).decode
"""Decode a line that is known to be UTF-8. Raises ValueError or RecursionError for no JSON and for other types."""


def decode_with_care(line: bytes) -> Record:
    """Decode any line. Raises RejectedError."""
    value = decode(line)
    if not isinstance(value, dict):
        raise RejectedError(Reason.NOT_AN_OBJECT, "the line")
    try:
        return msgspec.convert(value, Record)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise RejectedError(Reason.WRONG_TYPE, place[1] if place else "the record") from None

"""Native lines of the usual types, decoded at once: what the quick way of ``NativeParser.parse`` begins with."""

from typing import Annotated, Final, TypeAlias

import msgspec

from parsers.records import EXPIRES_IN_MAX

Identifier: TypeAlias = str | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None


class Details(msgspec.Struct, gc=False):
    """``details`` of a line of the usual types."""

    client_id: Identifier = None
    grant_type: str | None = None
    scopes: tuple[str, ...] | str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    error: str | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=0, le=EXPIRES_IN_MAX)] | None = None
    realm: str | None = None
    endpoint: str | None = None


class Record(msgspec.Struct, gc=False):
    """A line of the usual types, with the keys that an event is made of."""

    created_at: str | None = None
    action: str | None = None
    details: Details | None = None
    id: Identifier = None
    user_id: Identifier = None


decode_record: Final = msgspec.json.Decoder(Record).decode
"""Decode a line that is known to be UTF-8. Raises ValueError or RecursionError for a line of other types and for no JSON.

Half the time of decoding everything into dicts, because what nobody asked for is skipped.
"""


def decode_utf8_record(line: bytes) -> Record:
    """``decode_record`` for a line that may not be UTF-8: the decoder does not look at the bytes that it skips."""
    line.decode()
    return decode_record(line)

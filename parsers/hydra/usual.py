"""Lines of Hydra's log with values of the usual types, decoded at once. What nobody asks for is skipped, which is most of a line."""

from typing import Any, Final, TypeAlias

import msgspec

Header: TypeAlias = str | list[str] | None


class Headers(msgspec.Struct, gc=False, rename={"user_agent": "user-agent", "forwarded_for": "x-forwarded-for"}):
    """``http_request.headers``."""

    user_agent: Header = None
    forwarded_for: Header = None


class Request(msgspec.Struct, gc=False):
    """``http_request``."""

    path: str | None = None
    method: str | None = None
    remote: str | None = None
    headers: Headers | None = None


class Response(msgspec.Struct, gc=False):
    """``http_response``."""

    status: int | None = None


class Trace(msgspec.Struct, gc=False):
    """``otel``."""

    trace_id: str | None = None


class Line(msgspec.Struct, gc=False):
    """What the event of an answered request is made of, and what tells that a line is something else."""

    time: str | None = None
    msg: str | None = None
    http_request: Request | None = None
    http_response: Response | None = None
    otel: Trace | None = None
    resourceSpans: Any = msgspec.UNSET  # noqa: N815 - OTLP's name


_decode: Final = msgspec.json.Decoder(Line).decode


def decode_usual(line: bytes) -> Line | None:
    """Return a line of the log; None for one of other types or other characters than ASCII, for spans, and for no JSON."""
    if not line.isascii():  # the decoder does not look at the bytes that it skips
        return None
    try:
        record = _decode(line)
    except (ValueError, RecursionError):
        return None
    return record if record.resourceSpans is msgspec.UNSET else None

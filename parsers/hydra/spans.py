"""Lines of audit events with values of the usual types, decoded at once. What nobody asks for is skipped, which is most of a line."""

from typing import Final

import msgspec

from parsers.records import is_utf8


class Value(msgspec.Struct, gc=False):
    """``value`` of an attribute."""

    stringValue: str | None = None  # noqa: N815 - OTLP's names, as those below


class Attribute(msgspec.Struct, gc=False):
    """A key with its value."""

    key: str | None = None
    value: Value | None = None


class SpanEvent(msgspec.Struct, gc=False):
    """An event of a span."""

    name: str | None = None
    timeUnixNano: str | None = None  # noqa: N815
    attributes: list[Attribute] | None = None


class Span(msgspec.Struct, gc=False):
    """A span, whose own attributes nobody asks for."""

    events: list[SpanEvent] | None = None


class Scope(msgspec.Struct, gc=False):
    """``scopeSpans``."""

    spans: list[Span] | None = None


class Resource(msgspec.Struct, gc=False):
    """``resourceSpans``."""

    scopeSpans: list[Scope] | None = None  # noqa: N815


class Line(msgspec.Struct, gc=False):
    """A line of the Collector's file exporter."""

    resourceSpans: list[Resource] | None = None  # noqa: N815


_decode: Final = msgspec.json.Decoder(Line).decode


def decode_spans(line: bytes) -> list[SpanEvent] | None:
    """Return the span events of a line, in their order; None for a line of other types and for no JSON."""
    if not is_utf8(line):  # the decoder does not look at the bytes that it skips
        return None
    try:
        resources = _decode(line).resourceSpans or ()
    except (ValueError, RecursionError):
        return None
    return [
        event
        for resource in resources
        for scope in resource.scopeSpans or ()
        for span in scope.spans or ()
        if span.events
        for event in span.events
    ]

"""Envelopes that are JSON: Docker's json-file, journald's export, and what collectors make of a line (``collectors``)."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from parsers.envelopes import collectors, kinds
from parsers.envelopes.kinds import Taken
from parsers.envelopes.strings import ended_texts, one_line, plain_string, text_of_string, unended_texts

DOCKER_PART_BYTES: Final = 16_384
"""Docker splits a record after so many bytes."""
_LINE_MAX: Final = "line-max"
"""journald's ``_LINE_BREAK`` of a record that goes on, since it is longer than ``LineMax`` of journald.conf."""


class DockerLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line of Docker's json-file."""

    log: str
    stream: Literal["stdout", "stderr"]
    time: str
    attrs: msgspec.Raw | None = None


class _JournalLine(msgspec.Struct, gc=False):
    """A line of ``journalctl -o json``; its other fields are not looked at."""

    timestamp: msgspec.Raw = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: msgspec.Raw = msgspec.field(name="MESSAGE")
    line_break: str | None = msgspec.field(name="_LINE_BREAK", default=None)
    stream_id: str | None = msgspec.field(name="_STREAM_ID", default=None)


class _JournalText(msgspec.Struct, gc=False):
    """One whose message is a text, as most are."""

    timestamp: msgspec.Raw = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: str = msgspec.field(name="MESSAGE")
    line_break: str | None = msgspec.field(name="_LINE_BREAK", default=None)
    stream_id: str | None = msgspec.field(name="_STREAM_ID", default=None)


_DOCKER_BEGINS: Final = (b'{"log":"', b'{"log": "')
_docker_line: Final = msgspec.json.Decoder(DockerLine).decode
_journal_text: Final = msgspec.json.Decoder(_JournalText).decode
_journal_line: Final = msgspec.json.Decoder(_JournalLine).decode


def taken_off(line: bytes) -> Taken | None:
    """Return what is within an object; None when it is no envelope that is known. Raises ValueError, RecursionError for no JSON."""
    if not collectors.may_begin(line[: collectors.HEAD_BYTES]):
        return None
    if line.startswith(_DOCKER_BEGINS):
        try:
            return _of_docker(_docker_line(line))
        except msgspec.ValidationError:
            pass
    if b'"__REALTIME_TIMESTAMP"' in line and (found := _of_journald(line)) is not None:
        return found
    return collectors.taken_off(line)


def lines_in_docker(lines: Sequence[bytes]) -> bytes | None:
    """Return what is in lines of Docker's, as lines, when all are whole records; None else. Raises as ``taken_off`` does."""
    return ended_texts([_docker_line(line).log for line in lines])


def lines_in_journald(lines: Sequence[bytes]) -> bytes | None:
    """Return what is in entries of journald's, as lines, when all are texts and whole records; None else. Raises as ``taken_off``."""
    entries = [_journal_text(line) for line in lines]
    is_usual = all(map(collectors.may_begin, {line[: collectors.HEAD_BYTES] for line in lines}))
    if not is_usual or any([entry.line_break is not None for entry in entries]):  # noqa: C419 - a list is quicker
        return None
    return unended_texts([entry.message for entry in entries])


def _of_docker(line: DockerLine) -> Taken:
    """Return what is within. Of the parts of a record the last one alone ends in a line feed."""
    text, more = line.log, not line.log.endswith("\n")
    encoded = (text if more else text[:-1]).encode()
    return Taken((kinds.DOCKER,), one_line(encoded), line.stream, more, not more or len(encoded) >= DOCKER_PART_BYTES)


def in_string(line: bytes) -> Taken | None:
    """Return the text of a line that is one JSON string and holds an object. Raises ValueError for no JSON."""
    text = plain_string(line).encode()
    return Taken((kinds.STRING,), one_line(text)) if text.lstrip().startswith(b"{") else None


def _of_journald(line: bytes) -> Taken | None:
    try:
        found = _journal_line(line)
    except msgspec.ValidationError:
        return None
    message = bytes(found.message)
    more = found.line_break == _LINE_MAX and found.stream_id is not None
    if message == b"null":
        return Taken((kinds.JOURNALD,), None, found.stream_id, more)
    text = text_of_string(message)
    return None if text is None else Taken((kinds.JOURNALD,), text, found.stream_id, more)

"""Texts in JSON: what is within an envelope, as bytes in one row."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec

plain_string: Final = msgspec.json.Decoder(str).decode
"""Decode a JSON string, or raise ValueError: also for half of a pair of surrogates, which JavaScript writes."""
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def text_of_string(value: bytes) -> bytes | None:
    """Return the text of a JSON string, or of the array of its bytes, which journald writes for what is no plain text."""
    try:
        decoded: Any = json.loads(value) if value.startswith(b"[") else plain_string(value)
    except ValueError:  # half of a pair of surrogates, as JavaScript writes it, is no text for the quick decoder
        decoded = json.loads(value)
    if isinstance(decoded, str):
        return one_line(decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())
    try:
        return one_line(bytes(decoded)) if isinstance(decoded, list) else None
    except (TypeError, ValueError):
        return None


def one_line(text: bytes) -> bytes:
    r"""Return a text without line feeds: what was one line in its envelope stays one, and nothing in it can begin another."""
    return text.rstrip(b"\n").replace(b"\n", b" ") if b"\n" in text else text


def ended_texts(texts: Sequence[str]) -> bytes | None:
    """Return texts as lines that each end in a line feed; None when one does not, or has another."""
    data = "".join(texts)
    is_each_ended = data.count("\n") == len(texts) and not [text for text in texts if text[-1:] != "\n"]
    return data.encode() if is_each_ended else None


def unended_texts(texts: Sequence[str]) -> bytes | None:
    """Return texts without line feeds as lines; None when one has any."""
    data = "\n".join(texts) + "\n"
    return data.encode() if data.count("\n") == len(texts) else None


def is_whole_object(text: bytes) -> bool:
    """Tell whether a text is one JSON object."""
    try:
        return text.lstrip().startswith(b"{") and _members(text) is not None
    except (ValueError, RecursionError):
        return False

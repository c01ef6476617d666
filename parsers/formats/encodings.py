"""Bytes that are no lines of UTF-8 at all: compressed files under a plain name, UTF-16, databases. Pure."""

import codecs
from typing import Final, NamedTuple

LOOK_BYTES: Final = 4096


class Encoding(NamedTuple):
    """What the first bytes of a file say it is."""

    name: str
    advice: str
    codec: str = ""
    """Python's name of the encoding, for text; empty for what is no text."""


_RENAME: Final = "Give it the suffix {suffix}, by which a compressed file is known, and `tokentail backfill` it."
_MAGIC: Final = (
    (b"\x1f\x8b", Encoding("a gzip file under a plain name", _RENAME.format(suffix=".gz"))),
    (b"\x28\xb5\x2f\xfd", Encoding("a zstd file under a plain name", _RENAME.format(suffix=".zst"))),
    (b"BZh", Encoding("a bzip2 file under a plain name", _RENAME.format(suffix=".bz2"))),
    (b"\xfd7zXZ\x00", Encoding("an xz file under a plain name", _RENAME.format(suffix=".xz"))),
    (b"PK\x03\x04", Encoding("a zip archive", "Unpack it, and name the log in it.")),
    (b"\x04\x22\x4d\x18", Encoding("an lz4 file", "Unpack it (`lz4 -d`), and name the result.")),
    (b"7z\xbc\xaf\x27\x1c", Encoding("a 7z archive", "Unpack it, and name the log in it.")),
    (b"SQLite format 3\x00", Encoding("an SQLite database", "Export the rows of its audit table as JSON, one a line.")),
    (b"LPKSHHRH", Encoding("a journal file of systemd", "Export it: `journalctl --unit=NAME --output=cat`.")),
    (b"ElfFile\x00", Encoding("a Windows event log", "Export its events as JSON, one a line.")),
    (b"PAR1", Encoding("a Parquet file", "Export its rows as JSON, one a line.")),
)
_TAR: Final = Encoding("a tar archive", "Unpack it, and name the log in it.")
_UTF8_ADVICE: Final = "Have the endpoint write UTF-8, or convert a copy: `iconv -f {codec} -t UTF-8 LOG > LOG.utf8`."
_BINARY: Final = Encoding("binary data", "Is it the right file? A log is text, one JSON object a line, in UTF-8.")
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\x0b\x0c\x1b\x1e")


def encoding_of(data: bytes) -> Encoding | None:
    """Return what the beginning of a file, or of a line, is when it is no UTF-8 text; None when it may be."""
    data = data[:LOOK_BYTES]
    for magic, encoding in _MAGIC:
        if data.startswith(magic):
            return encoding
    if data[257:262] == b"ustar":
        return _TAR
    for mark, codec in _BOMS:
        if data.startswith(mark) and len(data) > len(mark):
            return _text(codec, codec[:6])
    if codec := _utf16_without_mark(data):
        return _text(codec, codec.replace("16-", "16"))
    solid = data.strip(b"\0")  # a hole of NULs is what a truncation under a writer leaves, and no encoding
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in solid)
    return _BINARY if controls * 10 > len(solid) else None


def as_utf8(data: bytes, encoding: Encoding) -> bytes:
    """Return text of another encoding in UTF-8, without its mark; what cannot be decoded is U+FFFD."""
    text = data.decode(encoding.codec, errors="replace")
    return text.removeprefix("\ufeff").encode(errors="replace")


def _text(codec: str, known_to_iconv: str) -> Encoding:
    return Encoding(f"{codec[:6].upper()} text", _UTF8_ADVICE.format(codec=known_to_iconv.upper()), codec)


def _utf16_without_mark(data: bytes) -> str:
    """Return the codec of mostly ASCII text in UTF-16: every other byte is NUL."""
    half = len(data) // 2
    if half < 8:
        return ""
    even, odd = data[0 : half * 2 : 2].count(0), data[1 : half * 2 : 2].count(0)
    if odd > half * 0.8 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.8 and odd < half * 0.1 else ""
